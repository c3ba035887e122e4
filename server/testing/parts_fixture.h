#ifndef MOEPROBE_SERVER_TESTING_PARTS_FIXTURE_H_
#define MOEPROBE_SERVER_TESTING_PARTS_FIXTURE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "gtest/gtest.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/scheduler.h"
#include "server/server_parts.h"
#include "storage/job.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {

// The parts of a server that does not listen, with the model "mixtral" and the
// token ids "ids.npy".
class PartsFixture : public testing::Test {
 protected:
  static constexpr int64_t kWorker = 4711;

  PartsFixture();

  // Adds a text, or token ids as a .npy.
  void AddDataset(const std::string& name, bool is_text,
                  const std::string& bytes);

  // Returns an analysis of the ids, of another request for each seed.
  static v1::Job Analysis(int64_t seed);

  // Creates a job, such an analysis if nothing else is said, and returns its
  // id.
  int64_t Create();
  int64_t Create(const v1::Job& job);

  JobRow Get(int64_t job);

  // Returns who claims as kWorker.
  static Claimant ClaimantUntil(std::function<bool()> gave_up);

  // Claims a task, which must be there.
  v1::Task Claim();

  TemporaryDirectory directory_;
  std::filesystem::path root_ = directory_.path() / "models";
  ServerParts parts_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TESTING_PARTS_FIXTURE_H_

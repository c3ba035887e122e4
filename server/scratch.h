#ifndef MOEPROBE_SERVER_SCRATCH_H_
#define MOEPROBE_SERVER_SCRATCH_H_

#include <cstdint>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moeprobe {

// Directories for what workers spill, one a job. Thread-safe.
class Scratch {
 public:
  explicit Scratch(std::filesystem::path directory)
      : directory_(std::move(directory)) {}

  // Makes the directory of a job, unless it is there, and returns it.
  absl::StatusOr<std::filesystem::path> Make(int64_t job) const;

  // Removes the directory of a job with all that is in it.
  void Remove(int64_t job) const;

  // Removes the directories of all jobs but these.
  void RemoveAllBut(const std::vector<int64_t>& jobs) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SCRATCH_H_

#ifndef MOEPROBE_SERVER_WORKER_TASK_RUNNER_H_
#define MOEPROBE_SERVER_WORKER_TASK_RUNNER_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/pipeline/analyze.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/heartbeat.h"
#include "server/worker/server_link.h"
#include "server/worker/tokenizer.h"

namespace moeprobe {

// Runs one attempt at a job: its parts in order, each layer published as it is
// done.
class TaskRunner {
 public:
  // All arguments must outlive the object.
  TaskRunner(const ServerLink& link, const TokenizerOptions& tokenizer,
             Analyzer& analyzer, const v1::Task& task);

  // Runs the task and tells the server how it ended. A status other than OK
  // means that the server no longer wants to know.
  absl::Status Run();

 private:
  absl::StatusOr<std::vector<v1::Provenance>> RunParts();
  absl::StatusOr<v1::Provenance> RunPart(int index);
  absl::StatusOr<std::vector<int32_t>> TokenIds(int index);
  absl::StatusOr<std::vector<int32_t>> Tokenize(int index);
  absl::StatusOr<std::vector<int32_t>> TokenizeAnew(
      int index, const std::filesystem::path& tokenizer,
      const std::string& tokenizer_sha256);

  const ServerLink& link_;
  const TokenizerOptions& tokenizer_;
  Analyzer& analyzer_;
  const v1::Task& task_;
  Heartbeat heartbeat_;
  // Ids that texts of this task became, by digests of text and tokenizer: parts
  // of a sweep often share them.
  std::map<std::pair<std::string, std::string>, std::vector<int32_t>>
      tokenized_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_TASK_RUNNER_H_

#ifndef MOEPROBE_SERVER_WORKER_TASK_RUNNER_H_
#define MOEPROBE_SERVER_WORKER_TASK_RUNNER_H_

#include <map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/pipeline/analyze.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/heartbeat.h"
#include "server/worker/server_link.h"
#include "server/worker/task_context.h"
#include "server/worker/task_tokens.h"
#include "server/worker/tokenizer.h"

namespace moeprobe {

// Runs one attempt at a job: trains its models, with the parts that probe them,
// then its other parts in order. Each layer is published as it is done.
class TaskRunner {
 public:
  // All arguments must outlive the object.
  TaskRunner(const ServerLink& link, const TokenizerOptions& tokenizer,
             Analyzer& analyzer, const v1::Task& task);

  // Runs the task and tells the server how it ended. A status other than OK
  // means that the server no longer wants to know.
  absl::Status Run();

 private:
  absl::Status RunParts();
  absl::Status TrainModels();
  absl::StatusOr<v1::Provenance> RunPart(int index);

  Heartbeat heartbeat_;
  const TaskContext context_;
  TaskTokens tokens_;
  // Of the parts that are done, by part.
  std::map<int, v1::Provenance> provenance_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_TASK_RUNNER_H_

#ifndef MOEPROBE_SERVER_WORKER_TRAINING_RUNNER_H_
#define MOEPROBE_SERVER_WORKER_TRAINING_RUNNER_H_

#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/train/token_split.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/run_progress.h"
#include "server/worker/run_stop.h"
#include "server/worker/task_context.h"
#include "server/worker/task_tokens.h"

namespace moeprobe {

// Trains the models of a task, as many at once as the worker has threads, each
// and its probes on one thread: small models gain nothing from more, and their
// bytes do not depend on the number of cores.
class TrainingRunner {
 public:
  // `tokens` must outlive the object.
  TrainingRunner(const TaskContext& context, TaskTokens& tokens);

  // Trains all and publishes the parts that name them. A run that fails stops
  // no other: the error at the end is that of the first that failed, and says
  // how many did. What stops all is in RunStop.
  absl::Status Run();

  // Returns where the parts come from that were published, by part.
  std::map<int, v1::Provenance> Provenance() const;

 private:
  // How a run ended.
  struct Outcome {
    absl::Status status;
    std::map<int, v1::Provenance> provenance;
  };
  using Text = std::shared_ptr<const TokenSplit>;

  absl::Status ReadTexts();
  absl::StatusOr<Text> TextOf(const v1::TrainingRun& run);
  void RunOne(int run);
  absl::Status Summary() const;

  const TaskContext context_;
  TaskTokens& tokens_;
  RunProgress progress_;
  RunStop stop_;
  std::vector<Text> texts_;        // by run; most share one
  std::vector<Outcome> outcomes_;  // by run, each written by its own thread
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_TRAINING_RUNNER_H_

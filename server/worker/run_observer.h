#ifndef MOEPROBE_SERVER_WORKER_RUN_OBSERVER_H_
#define MOEPROBE_SERVER_WORKER_RUN_OBSERVER_H_

#include <chrono>
#include <cstdint>
#include <map>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/pipeline/train.h"
#include "core/train/token_split.h"
#include "moeprobe/v1/result.pb.h"
#include "server/worker/run_progress.h"
#include "server/worker/run_stop.h"
#include "server/worker/task_context.h"

namespace moeprobe {

// Follows one training run of a task and publishes the parts that are due as
// its steps are kept. Belongs to the run's thread.
class RunObserver final : public TrainObserver {
 public:
  // `run` counts from 0. The references must outlive the object.
  RunObserver(const TaskContext& context, int run, const TokenSplit& text,
              RunProgress& progress, const RunStop& stop);

  absl::Status OnWait() override;
  absl::Status OnStep(int64_t step, double loss) override;
  absl::Status OnKept(const KeptModel& model) override;

  // Returns where the parts come from that were published, by part.
  std::map<int, v1::Provenance> Provenance() const;

 private:
  absl::Status RunPart(int part, const KeptModel& model);
  double StepsPerSecond() const;

  const TaskContext context_;
  const int run_;
  const TokenSplit& text_;
  RunProgress& progress_;
  const RunStop& stop_;
  std::map<int, v1::Provenance> provenance_;
  // Of this attempt, what is between kept steps left out:
  int64_t steps_ = 0;
  absl::Duration stepping_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_RUN_OBSERVER_H_

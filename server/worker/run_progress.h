#ifndef MOEPROBE_SERVER_WORKER_RUN_PROGRESS_H_
#define MOEPROBE_SERVER_WORKER_RUN_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/mutex.h"
#include "server/worker/task_context.h"

namespace moeprobe {

// How far the runs of a task and the parts that probe them are, told to the
// heartbeat at most once a second: the phase is that of the run that moved
// last, the fraction that of all of them and never falls. Thread-safe.
class RunProgress {
 public:
  explicit RunProgress(const TaskContext& context);

  // A run waits for another worker that trains the same model.
  void OnWait(int run);

  // A run made a step.
  void OnStep(int run, int64_t step, double loss, double steps_per_second);

  // A run has got to `step`, be it in an earlier attempt.
  void OnReached(int run, int64_t step);

  // The analysis of a part has got so far.
  void OnAnalysis(int part, const std::string& phase, double fraction);

  // A layer of a part is published.
  void OnLayer();

  // A run ended, however it did.
  void OnEnd(int run);

 private:
  using Clock = std::chrono::steady_clock;

  // Something that takes time: a run or a part.
  struct Work {
    double size = 0;  // in tokens that pass through the model
    double done = 0;  // share

    void Advance(double to);
  };

  void Tell(const std::string& phase) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  double Fraction() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const TaskContext context_;
  const Clock::time_point begin_ = Clock::now();
  Mutex mutex_;
  std::vector<Work> runs_ ABSL_GUARDED_BY(mutex_);
  std::vector<Work> parts_ ABSL_GUARDED_BY(mutex_);
  int runs_done_ ABSL_GUARDED_BY(mutex_) = 0;
  int layers_done_ ABSL_GUARDED_BY(mutex_) = 0;
  int layer_count_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<Clock::time_point> told_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_RUN_PROGRESS_H_

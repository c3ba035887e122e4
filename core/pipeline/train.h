#ifndef MOEPROBE_CORE_PIPELINE_TRAIN_H_
#define MOEPROBE_CORE_PIPELINE_TRAIN_H_

#include <cstdint>
#include <filesystem>
#include <vector>

#include "absl/status/status.h"
#include "core/probe/probe_result.h"
#include "core/train/token_split.h"
#include "core/train/training_options.h"

namespace moeprobe {

// One small model to train.
struct TrainRequest {
  TrainingOptions training;
  // Steps after which it is kept: ascending, the first is 0, the last
  // training.steps.
  std::vector<int64_t> kept_steps;
  // Of this model alone. A step that is kept is a model directory in it.
  std::filesystem::path directory;
};

// A model at a step, and what training found on the way to it. Losses are in
// nats; m steps were kept up to this one, it included.
struct KeptModel {
  int64_t step = 0;
  std::filesystem::path directory;  // a model directory
  // All of probe "training", float64 but where it says int64: "loss" [], the
  // mean over the last 100 steps, or all where they are fewer, not there at
  // step 0 and the same whatever is kept; "held_out_loss" []; by step
  // "training/loss", "training/balance_loss", "training/gradient_norm",
  // "training/learning_rate" [step]; by kept step "training/evaluation_step"
  // [m] int64, "training/held_out_loss" [m] and, in a model of L layers of E
  // experts, "training/expert_tokens" [m, L, E] int64, since the kept step
  // before, and "training/expert_gates" [m, L, E], their mean. Held-out losses
  // are there if some text is held out.
  std::vector<NamedArray> curves;
};

// What training tells while it runs. Called from the training thread. A status
// other than OK, such as Cancelled, stops it with that.
class TrainObserver {
 public:
  virtual ~TrainObserver() = default;

  // Somebody else trains this model; called about ten times a second.
  virtual absl::Status OnWait() = 0;

  // A step is made, the first is 1.
  virtual absl::Status OnStep(int64_t step, double loss) = 0;

  // A step is kept. Called once for each, in order, those first that were kept
  // before.
  virtual absl::Status OnKept(const KeptModel& model) = 0;
};

// Trains a model on `text`, going on from where an earlier call for it came,
// be it one that was killed: the same request and text give the same bytes on
// the same machine with the same number of threads; see RunInLanes.
//
// Errors: InvalidArgument for options or text that do not fit each other;
// Unimplemented for a model that checkpoints have no place for; DataLoss that
// names the step if a loss or gradient is not finite; ResourceExhausted where
// memory or disk runs out; what the observer returned.
absl::Status Train(const TrainRequest& request, const TokenSplit& text,
                   TrainObserver& observer);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PIPELINE_TRAIN_H_

#ifndef MOEPROBE_CORE_TRAIN_TRAINING_RUN_H_
#define MOEPROBE_CORE_TRAIN_TRAINING_RUN_H_

#include <cstdint>
#include <filesystem>
#include <vector>

#include "absl/status/status.h"
#include "core/train/token_split.h"
#include "core/train/training_curves.h"
#include "core/train/training_options.h"

namespace moeprobe {

// A training run and what is kept of it.
struct TrainingRun {
  TrainingOptions training;
  // Steps after which the model is evaluated and kept: ascending, the first is
  // 0, the last training.steps.
  std::vector<int64_t> kept_steps;
  int64_t held_out_windows = 64;  // at most, spread evenly
  // Of this run alone: its checkpoints. Made if need be.
  std::filesystem::path directory;
};

// What a run tells while it goes on. Called from the thread that trains. A
// status other than OK, such as Cancelled, stops the run with it.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;

  // Somebody else trains in the directory; called about ten times a second.
  virtual absl::Status OnWait() = 0;

  // A step is made. Where that stops the run, what it reached is kept.
  virtual absl::Status OnStep(int64_t step, double loss) = 0;

  // The checkpoint of one of the kept steps is whole. Called once for each, in
  // order, those first that earlier runs have kept. `curves` reach to that step
  // at least; see TrainingCurves::ArraysUpTo.
  virtual absl::Status OnKept(int64_t step, const TrainingCurves& curves) = 0;
};

// Trains a model on `text`, going on from the last checkpoint in the run's
// directory: a run that was killed at any moment and begun again, however
// often, ends with the bytes of one that never was. Where a kept step has lost
// its checkpoint the run begins anew. No two runs train in a directory at once,
// be it in several processes: the second waits. `curves` are new, of the
// model's sizes; they hold what was reached whatever is returned.
//
// Errors: those of Trainer::Create, CheckFamily and WriteCheckpoint;
// InvalidArgument if kept steps are not as they have to be; DataLoss that names
// the step if a loss or gradient is not finite, with a checkpoint of the step
// before it; what the observer returned.
absl::Status RunTraining(const TrainingRun& run, const TokenSplit& text,
                         TrainingObserver& observer, TrainingCurves& curves);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_TRAINING_RUN_H_

#ifndef MOEPROBE_CORE_TRAIN_TRAINING_RUN_H_
#define MOEPROBE_CORE_TRAIN_TRAINING_RUN_H_

#include <cstdint>
#include <filesystem>

#include "absl/status/status.h"
#include "core/train/token_batches.h"
#include "core/train/training_curves.h"
#include "core/train/training_options.h"

namespace moeprobe {

// A training run and what is kept of it.
struct TrainingRun {
  TrainingOptions training;
  int64_t evaluate_every = 100;  // steps; also before the first, after the last
  int64_t held_out_windows = 64;   // at most, spread evenly
  int64_t checkpoint_every = 500;  // steps; also before the first, at the last
  // Of this run alone: its checkpoints. Made if need be.
  std::filesystem::path directory;
};

// What a run tells while it goes on. Called from the thread that trains.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;

  // A step is made. A status other than OK, such as Cancelled, stops the run
  // with it.
  virtual absl::Status OnStep(int64_t step, double loss) = 0;
};

// Trains a model on `text`, going on from the last checkpoint in the run's
// directory: a run that was killed at any moment and begun again, however
// often, ends with the bytes of one that never was. `curves` are new, of the
// model's sizes; they hold what was reached whatever is returned.
//
// Errors: those of Trainer::Create, CheckFamily and WriteCheckpoint;
// InvalidArgument if a period is not positive; DataLoss that names the step if
// a loss or gradient is not finite, with a checkpoint of the step before it;
// what the observer returned.
absl::Status RunTraining(const TrainingRun& run, const TokenSplit& text,
                         TrainingObserver& observer, TrainingCurves& curves);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_TRAINING_RUN_H_

#ifndef MOEPROBE_CORE_TRAIN_TRAINING_CHECKPOINT_H_
#define MOEPROBE_CORE_TRAIN_TRAINING_CHECKPOINT_H_

#include <cstdint>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/train/trainer.h"
#include "core/train/training_curves.h"
#include "core/train/training_options.h"

namespace moeprobe {

// Name of the model directory of a step in a run's directory: "step-500".
std::filesystem::path CheckpointName(int64_t step);

// Writes a checkpoint of a run's present state to CheckpointName of its step in
// `directory`, which is made if need be: config.json and model.safetensors, an
// ordinary model directory, and training.safetensors, all else that it takes to
// go on: moments of the optimizer and curves (what is random has no state). It
// is there whole, and on the disk, or not at all. The same state gives the same
// bytes.
//
// Only one process may write to a directory at a time. Errors: those of
// WriteWholeFile.
absl::Status WriteCheckpoint(const std::filesystem::path& directory,
                             const TrainingOptions& options, Trainer& trainer,
                             const TrainingCurves& curves);

// Goes on from the last checkpoint in `directory` whose files are whole, and
// returns whether there is one; else nothing changes. `trainer` and `curves`
// are new, of the options that the checkpoints were written with.
//
// Returns FailedPrecondition that names file and tensor if it is of a model of
// other sizes.
absl::StatusOr<bool> RestoreLastCheckpoint(
    const std::filesystem::path& directory, Trainer& trainer,
    const TrainingOptions& options, TrainingCurves& curves);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_TRAINING_CHECKPOINT_H_

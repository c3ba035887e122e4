#ifndef MOEPROBE_CORE_TRAIN_TRAINING_CHECKPOINT_H_
#define MOEPROBE_CORE_TRAIN_TRAINING_CHECKPOINT_H_

#include <cstdint>
#include <filesystem>
#include <optional>

#include "absl/status/status.h"
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
// is there whole, and on the disk, or not at all. Once it is, the
// training.safetensors of all others, most of their bytes, is removed. The same
// state gives the same bytes.
//
// Only one process may write to a directory at a time. Errors: those of
// WriteWholeFile.
absl::Status WriteCheckpoint(const std::filesystem::path& directory,
                             const TrainingOptions& options, Trainer& trainer,
                             const TrainingCurves& curves);

// Returns whether `directory` has a model, whole, of step `step`.
bool HasCheckpoint(const std::filesystem::path& directory, int64_t step);

// Returns the step of the last checkpoint in `directory` that a run can go on
// from: its files are whole. nullopt if there is none.
std::optional<int64_t> LastCheckpoint(const std::filesystem::path& directory);

// Goes on from the checkpoint of step `step`, which LastCheckpoint returned,
// and removes what a process that died in WriteCheckpoint has left to remove.
// `trainer` and `curves` are new, of the options that it was written with.
//
// Returns FailedPrecondition that names file and tensor if it is of a model of
// other sizes.
absl::Status RestoreCheckpoint(const std::filesystem::path& directory,
                               int64_t step, const TrainingOptions& options,
                               Trainer& trainer, TrainingCurves& curves);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_TRAINING_CHECKPOINT_H_

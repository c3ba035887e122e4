#ifndef MOEPROBE_CORE_TRAIN_TRAINER_H_
#define MOEPROBE_CORE_TRAIN_TRAINER_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/train/adam.h"
#include "core/train/learning_task.h"
#include "core/train/parameters.h"
#include "core/train/token_split.h"
#include "core/train/training_options.h"

namespace moeprobe {

// What one step found before it changed anything.
struct TrainingStep {
  int64_t step = 0;          // counted from 1
  double loss = 0;           // mean of the batch: see LearningTask
  double balance_loss = 0;   // mean over layers, without its factor; 0 if dense
  double gradient_norm = 0;  // before clipping
  double learning_rate = 0;
  at::Tensor expert_tokens = {};  // [L, E] int64; undefined in a dense model
  at::Tensor expert_gates = {};   // [L, E] float64: mean over all tokens
};

// Trains one model, a step at a time. The same options and text give the same
// bytes, on the same machine with the same number of threads.
class Trainer {
 public:
  // Begins at step 0 with random weights. `text` are token ids or, of an MLP,
  // numbers of its examples; it must outlive the trainer.
  //
  // Errors: those of CheckOptions, NextTokenTask and ExampleTask.
  static absl::StatusOr<std::unique_ptr<Trainer>> Create(
      const TrainingOptions& options, const TokenSplit& text);

  // Makes the next step.
  //
  // Returns DataLoss that names the step if its loss or a gradient is not
  // finite; the weights are then those of the step before.
  absl::StatusOr<TrainingStep> Step() {
    return StepOn(task_->Batch(step() + 1));
  }

  // Makes the next step on `batch`, as LearningTask::Batch returns them,
  // instead of the one that it would draw.
  absl::StatusOr<TrainingStep> StepOn(const at::Tensor& batch);

  // See LearningTask::HeldOutLoss.
  double HeldOutLoss(int64_t windows) const {
    return task_->HeldOutLoss(parameters_, windows);
  }

  // Steps made so far.
  int64_t step() const { return adam_.steps(); }

  // The state: writing to its tensors, and Adam::set_steps, goes on where
  // another run stopped.
  const ModelParameters& parameters() const { return parameters_; }
  Adam& adam() { return adam_; }

 private:
  Trainer(const TrainingOptions& options,
          std::unique_ptr<const LearningTask> task);

  TrainingOptions options_;
  std::unique_ptr<const LearningTask> task_;
  ModelParameters parameters_;
  Adam adam_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_TRAINER_H_

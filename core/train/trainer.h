#ifndef MOEPROBE_CORE_TRAIN_TRAINER_H_
#define MOEPROBE_CORE_TRAIN_TRAINER_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/train/adam.h"
#include "core/train/decoder.h"
#include "core/train/parameters.h"
#include "core/train/token_batches.h"
#include "core/train/token_split.h"
#include "core/train/training_options.h"

namespace moeprobe {

// What one step found before it changed anything.
struct TrainingStep {
  int64_t step = 0;          // counted from 1
  double loss = 0;           // mean next-token loss of the batch, nats
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
  // Begins at step 0 with random weights. `text` must outlive the trainer.
  //
  // Errors: those of CheckOptions; InvalidArgument if the text has no window,
  // or a token outside the vocabulary.
  static absl::StatusOr<std::unique_ptr<Trainer>> Create(
      const TrainingOptions& options, const TokenSplit& text);

  // Makes the next step.
  //
  // Returns DataLoss that names the step if its loss or a gradient is not
  // finite; the weights are then those of the step before.
  absl::StatusOr<TrainingStep> Step() {
    return StepOn(batches_.Batch(step() + 1));
  }

  // Makes the next step on `windows` [n, context + 1] int64 instead of those
  // that it would draw.
  absl::StatusOr<TrainingStep> StepOn(const at::Tensor& windows);

  // Returns the mean next-token loss on up to `windows` held-out windows,
  // spread evenly; NaN where nothing is held out.
  double HeldOutLoss(int64_t windows) const;

  // Steps made so far.
  int64_t step() const { return adam_.steps(); }

  // The state: writing to its tensors, and Adam::set_steps, goes on where
  // another run stopped.
  const ModelParameters& parameters() const { return parameters_; }
  Adam& adam() { return adam_; }

 private:
  Trainer(const TrainingOptions& options, const TokenSplit& text);

  TrainingOptions options_;
  Decoder decoder_;
  ModelParameters parameters_;
  Adam adam_;
  std::span<const int32_t> held_out_;
  TokenBatches batches_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_TRAINER_H_

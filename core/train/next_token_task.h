#ifndef MOEPROBE_CORE_TRAIN_NEXT_TOKEN_TASK_H_
#define MOEPROBE_CORE_TRAIN_NEXT_TOKEN_TASK_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "core/train/decoder.h"
#include "core/train/learning_task.h"
#include "core/train/parameters.h"
#include "core/train/token_batches.h"
#include "core/train/token_split.h"
#include "core/train/training_options.h"

namespace moeprobe {

// To predict the next token of a text: cross entropy, in nats. Batches are
// windows of context + 1 tokens from anywhere, [batch, context + 1].
class NextTokenTask final : public LearningTask {
 public:
  // `options` are those of a decoder that CheckOptions accepts; `text` must
  // outlive the task.
  //
  // Returns InvalidArgument if the text has no window, or a token outside the
  // vocabulary.
  static absl::StatusOr<std::unique_ptr<LearningTask>> Create(
      const TrainingOptions& options, const TokenSplit& text);

  at::Tensor Batch(int64_t step) const override { return batches_.Batch(step); }
  TaskLoss Loss(const ModelParameters& model,
                const at::Tensor& batch) const override;
  double HeldOutLoss(const ModelParameters& model,
                     int64_t windows) const override;
  at::Tensor Inputs() const override { return {}; }

 private:
  NextTokenTask(const TrainingOptions& options, const TokenSplit& text);

  int64_t context_;
  Decoder decoder_;
  TokenBatches batches_;
  std::span<const int32_t> held_out_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_NEXT_TOKEN_TASK_H_

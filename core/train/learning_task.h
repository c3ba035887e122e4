#ifndef MOEPROBE_CORE_TRAIN_LEARNING_TASK_H_
#define MOEPROBE_CORE_TRAIN_LEARNING_TASK_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/train/parameters.h"
#include "core/train/token_gates.h"

namespace moeprobe {

// How far a model is from what it should make of a batch.
struct TaskLoss {
  at::Tensor loss;                  // []: mean over the batch
  std::vector<TokenGates> routing;  // by layer; empty in a dense model
};

// What models learn. Immutable; thread-safe.
class LearningTask {
 public:
  virtual ~LearningTask() = default;

  // Returns the batch of step `step`, int64, which depends on the seed of
  // training, that step and the shape of a model alone: variants have the same.
  virtual at::Tensor Batch(int64_t step) const = 0;

  // Returns the loss on a batch, with gradients where those are enabled.
  virtual TaskLoss Loss(const ModelParameters& model,
                        const at::Tensor& batch) const = 0;

  // Returns the mean loss on what up to `windows` held-out windows hold, spread
  // evenly; NaN where nothing is held out.
  virtual double HeldOutLoss(const ModelParameters& model,
                             int64_t windows) const = 0;

  // Returns the examples that go with a model, [N, d]: see ModelParameters.
  // Undefined where it has an embedding of its own.
  virtual at::Tensor Inputs() const = 0;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_LEARNING_TASK_H_

#ifndef MOEPROBE_CORE_TRAIN_EXAMPLE_TASK_H_
#define MOEPROBE_CORE_TRAIN_EXAMPLE_TASK_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "core/model/routing_rule.h"
#include "core/train/example_options.h"
#include "core/train/examples.h"
#include "core/train/learning_task.h"
#include "core/train/parameters.h"
#include "core/train/token_split.h"
#include "core/train/training_options.h"

namespace moeprobe {

// To do what teachers do with synthetic examples, by one block of experts, or
// one MLP, that a linear map H reads out:
//   y(x) = H sum_e g_e(x) f_e(x).
// The loss is the mean squared error over examples and outputs or, of classes,
// the mean cross entropy in nats. Batches are numbers of examples, [batch].
class ExampleTask final : public LearningTask {
 public:
  // `options` are those of an MLP that CheckOptions accepts. `numbers` says
  // which of its examples are learned from, and which are held out; it must
  // outlive the task.
  //
  // Returns InvalidArgument if nothing is to be learned from, or a number is
  // that of no example.
  static absl::StatusOr<std::unique_ptr<LearningTask>> Create(
      const TrainingOptions& options, const TokenSplit& numbers);

  at::Tensor Batch(int64_t step) const override;
  TaskLoss Loss(const ModelParameters& model,
                const at::Tensor& batch) const override;
  double HeldOutLoss(const ModelParameters& model,
                     int64_t windows) const override;
  at::Tensor Inputs() const override { return examples_.inputs; }

 private:
  ExampleTask(const TrainingOptions& options, const TokenSplit& numbers);

  Examples examples_;
  Objective objective_;
  RoutingRule rule_;
  int64_t batch_, seed_;
  int64_t window_;  // examples of one
  std::span<const int32_t> learned_, held_out_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_EXAMPLE_TASK_H_

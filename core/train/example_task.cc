#include "core/train/example_task.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/random_stream.h"
#include "core/base/status_macros.h"
#include "core/train/example_options.h"
#include "core/train/examples.h"
#include "core/train/expert_block.h"
#include "core/train/learning_task.h"
#include "core/train/parameters.h"
#include "core/train/token_split.h"
#include "core/train/training_options.h"
#include "core/train/training_stream.h"

namespace moeprobe {
namespace {

absl::Status CheckNumbers(std::span<const int32_t> numbers, int64_t count) {
  for (const int32_t number : numbers) {
    if (number >= 0 && number < count) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("the number of an example is ", number,
                     ", expected 0 to below their count, which is ", count));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<LearningTask>> ExampleTask::Create(
    const TrainingOptions& options, const TokenSplit& numbers) {
  if (numbers.train.empty()) {
    return absl::InvalidArgumentError("there is no example to learn from");
  }
  const int64_t count = options.shape.vocabulary;
  MOEPROBE_RETURN_IF_ERROR(CheckNumbers(numbers.train, count));
  MOEPROBE_RETURN_IF_ERROR(CheckNumbers(numbers.held_out, count));
  return absl::WrapUnique(new ExampleTask(options, numbers));
}

ExampleTask::ExampleTask(const TrainingOptions& options,
                         const TokenSplit& numbers)
    : examples_(MakeExamples(options.examples, options.shape)),
      objective_(options.examples.objective),
      rule_(options.routing),
      batch_(options.batch),
      seed_(options.seed),
      window_(options.shape.context),
      learned_(numbers.train),
      held_out_(numbers.held_out) {}

at::Tensor ExampleTask::Batch(int64_t step) const {
  RandomStream random = TrainingStream(seed_, TrainingDraw::kBatch, step);
  std::vector<int64_t> numbers(static_cast<size_t>(batch_));
  for (int64_t& number : numbers)
    number = learned_[random.Below(learned_.size())];
  return at::tensor(numbers, at::kLong);
}

TaskLoss ExampleTask::Loss(const ModelParameters& model,
                           const at::Tensor& batch) const {
  TaskLoss result;
  const at::Tensor x = examples_.inputs.index_select(0, batch);
  const at::Tensor y =
      RunExpertBlock(x, model.layers[0], rule_, result.routing);
  const at::Tensor outputs = at::linear(y, model.head);
  const at::Tensor targets = examples_.targets.index_select(0, batch);
  result.loss = objective_ == Objective::kClassification
                    ? at::cross_entropy_loss(outputs, targets)
                    : at::mse_loss(outputs, targets);
  return result;
}

double ExampleTask::HeldOutLoss(const ModelParameters& model,
                                int64_t windows) const {
  if (held_out_.empty()) return std::numeric_limits<double>::quiet_NaN();
  const at::NoGradGuard no_gradients;
  const auto size = static_cast<int64_t>(held_out_.size());
  const int64_t taken = std::min(windows * window_, size);
  std::vector<int64_t> numbers;
  numbers.reserve(static_cast<size_t>(taken));
  for (int64_t i = 0; i < taken; ++i) {
    numbers.push_back(held_out_[static_cast<size_t>(i * size / taken)]);
  }
  return Loss(model, at::tensor(numbers, at::kLong)).loss.item<double>();
}

}  // namespace moeprobe

#include "core/train/trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/plan/decoder_shape.h"
#include "core/train/adam.h"
#include "core/train/balance_loss.h"
#include "core/train/example_task.h"
#include "core/train/initialization.h"
#include "core/train/learning_rate.h"
#include "core/train/learning_task.h"
#include "core/train/next_token_task.h"
#include "core/train/parameters.h"
#include "core/train/token_gates.h"
#include "core/train/token_split.h"
#include "core/train/training_options.h"

namespace moeprobe {
namespace {

absl::StatusOr<std::unique_ptr<LearningTask>> CreateTask(
    const TrainingOptions& options, const TokenSplit& text) {
  return options.shape.is_mlp() ? ExampleTask::Create(options, text)
                                : NextTokenTask::Create(options, text);
}

// Mean over layers; undefined in a dense model.
at::Tensor MeanBalance(const std::vector<TokenGates>& routing) {
  if (routing.empty()) return {};
  std::vector<at::Tensor> losses;
  losses.reserve(routing.size());
  for (const TokenGates& gates : routing) losses.push_back(BalanceLoss(gates));
  return at::stack(losses).mean();
}

void AddUsage(const std::vector<TokenGates>& routing, TrainingStep& report) {
  if (routing.empty()) return;
  std::vector<at::Tensor> tokens, gates;
  tokens.reserve(routing.size());
  gates.reserve(routing.size());
  for (const TokenGates& layer : routing) {
    tokens.push_back(TokensByExpert(layer));
    gates.push_back(GatesByExpert(layer).detach().mean(0, false, at::kDouble));
  }
  report.expert_tokens = at::stack(tokens);
  report.expert_gates = at::stack(gates);
}

absl::Status CheckFinite(std::string_view what, double value, int64_t step) {
  if (std::isfinite(value)) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "the ", std::string(what), " is ", value, " at step ", step,
      ", expected a finite number; a smaller learning rate or clipping may "
      "help"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Create(
    const TrainingOptions& options, const TokenSplit& text) {
  MOEPROBE_RETURN_IF_ERROR(CheckOptions(options));
  MOEPROBE_ASSIGN_OR_RETURN(std::unique_ptr<const LearningTask> task,
                            CreateTask(options, text));
  auto trainer = absl::WrapUnique(new Trainer(options, std::move(task)));
  InitializeParameters(trainer->parameters_, options.initialization,
                       options.seed);
  return trainer;
}

Trainer::Trainer(const TrainingOptions& options,
                 std::unique_ptr<const LearningTask> task)
    : options_(options),
      task_(std::move(task)),
      parameters_(AllocateParameters(options.shape)),
      adam_(ParameterTensors(parameters_), options.adam) {
  parameters_.examples = task_->Inputs();
}

absl::StatusOr<TrainingStep> Trainer::StepOn(const at::Tensor& batch) {
  const at::AutoGradMode with_gradients(true);
  TrainingStep report{.step = step() + 1};
  const TaskLoss found = task_->Loss(parameters_, batch);
  report.loss = found.loss.item<double>();
  MOEPROBE_RETURN_IF_ERROR(CheckFinite("loss", report.loss, report.step));

  at::Tensor objective = found.loss;
  if (const at::Tensor balance = MeanBalance(found.routing);
      balance.defined()) {
    report.balance_loss = balance.item<double>();
    if (options_.balance_loss > 0) {
      objective = found.loss + balance * options_.balance_loss;
    }
  }
  const std::vector<at::Tensor> gradients =
      torch::autograd::grad({objective}, ParameterTensors(parameters_));
  report.gradient_norm = GradientNorm(gradients);
  MOEPROBE_RETURN_IF_ERROR(
      CheckFinite("gradient", report.gradient_norm, report.step));
  ClipGradients(gradients, report.gradient_norm, options_.clip);
  report.learning_rate =
      RateAt(options_.learning_rate, report.step, options_.steps);
  adam_.Step(gradients, report.learning_rate);
  AddUsage(found.routing, report);
  return report;
}

}  // namespace moeprobe

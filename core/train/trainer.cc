#include "core/train/trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/stack.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
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
#include "core/train/decoder.h"
#include "core/train/initialization.h"
#include "core/train/learning_rate.h"
#include "core/train/parameters.h"
#include "core/train/token_batches.h"
#include "core/train/token_gates.h"
#include "core/train/token_split.h"
#include "core/train/training_options.h"

namespace moeprobe {
namespace {

// Windows of held-out text that are run at once.
constexpr int64_t kWindowsAtOnce = 32;

// One part of the text, as what it is called.
absl::Status CheckPart(std::string_view name, const std::vector<int32_t>& ids,
                       const DecoderShape& shape) {
  if (std::cmp_less_equal(ids.size(), shape.context)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the ", std::string(name), " text has ", ids.size(),
        " tokens, expected more than the context, which is ", shape.context));
  }
  const auto [low, high] = std::ranges::minmax_element(ids);
  if (*low >= 0 && *high < shape.vocabulary) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a token id of the ", std::string(name), " text is ",
                   *low < 0 ? *low : *high,
                   ", expected 0 to below the vocabulary size, which is ",
                   shape.vocabulary));
}

absl::Status CheckText(const TokenSplit& text, const DecoderShape& shape) {
  MOEPROBE_RETURN_IF_ERROR(CheckPart("training", text.train, shape));
  return text.held_out.empty() ? absl::OkStatus()
                               : CheckPart("held-out", text.held_out, shape);
}

// Windows as what goes in and what should come out.
at::Tensor Inputs(const at::Tensor& windows) { return windows.slice(1, 0, -1); }
at::Tensor Targets(const at::Tensor& windows) {
  return windows.slice(1, 1).flatten();
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
  MOEPROBE_RETURN_IF_ERROR(CheckText(text, options.shape));
  auto trainer = absl::WrapUnique(new Trainer(options, text));
  InitializeParameters(trainer->parameters_, options.initialization,
                       options.seed);
  return trainer;
}

Trainer::Trainer(const TrainingOptions& options, const TokenSplit& text)
    : options_(options),
      decoder_(options.shape, options.routing),
      parameters_(AllocateParameters(options.shape)),
      adam_(ParameterTensors(parameters_), options.adam),
      held_out_(text.held_out),
      batches_(text.train, options.shape.context, options.batch, options.seed) {
}

absl::StatusOr<TrainingStep> Trainer::StepOn(const at::Tensor& windows) {
  const at::AutoGradMode with_gradients(true);
  TrainingStep report{.step = step() + 1};
  const DecoderOutput output = decoder_.Forward(parameters_, Inputs(windows));
  const at::Tensor loss =
      at::cross_entropy_loss(output.logits, Targets(windows));
  report.loss = loss.item<double>();
  MOEPROBE_RETURN_IF_ERROR(CheckFinite("loss", report.loss, report.step));

  at::Tensor objective = loss;
  if (const at::Tensor balance = MeanBalance(output.routing);
      balance.defined()) {
    report.balance_loss = balance.item<double>();
    if (options_.balance_loss > 0) {
      objective = loss + balance * options_.balance_loss;
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
  AddUsage(output.routing, report);
  return report;
}

double Trainer::HeldOutLoss(int64_t windows) const {
  if (held_out_.empty()) return std::numeric_limits<double>::quiet_NaN();
  const at::NoGradGuard no_gradients;
  const at::Tensor all =
      SpreadWindows(held_out_, options_.shape.context, windows);
  double sum = 0;
  for (const at::Tensor& some : all.split(kWindowsAtOnce)) {
    const DecoderOutput output = decoder_.Forward(parameters_, Inputs(some));
    sum += at::cross_entropy_loss(output.logits, Targets(some)).item<double>() *
           static_cast<double>(some.size(0));
  }
  return sum / static_cast<double>(all.size(0));
}

}  // namespace moeprobe

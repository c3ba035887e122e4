#include "core/train/training_curves.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/array_entries.h"
#include "core/base/npy.h"
#include "core/train/trainer.h"

namespace moeprobe {
namespace {

// One batch alone says little of a loss.
constexpr int64_t kRecentSteps = 100;

constexpr std::string_view kTokenSums = "token_sums";
constexpr std::string_view kGateSums = "gate_sums";

// The first of `values`, as many as `shape` has entries.
template <typename Number>
Array ArrayOf(const std::vector<Number>& values, std::vector<int64_t> shape,
              DataType type) {
  const auto count = static_cast<size_t>(EntryCount(shape));
  return {.type = type,
          .shape = std::move(shape),
          .bytes = std::string(reinterpret_cast<const char*>(values.data()),
                               count * sizeof(Number))};
}

Array ArrayOf(const std::vector<double>& values, std::vector<int64_t> shape) {
  return ArrayOf(values, std::move(shape), DataType::kFloat64);
}

Array ArrayOf(const std::vector<int64_t>& values, std::vector<int64_t> shape) {
  return ArrayOf(values, std::move(shape), DataType::kInt64);
}

// Fills `values` from the array called `name`, if it is there.
template <typename Number>
void Read(const std::vector<NamedCurve>& state, std::string_view name,
          std::vector<Number>& values) {
  const auto found = std::ranges::find(state, name, &NamedCurve::name);
  if (found != state.end()) values = EntriesOf<Number>(found->array);
}

template <typename Number>
void AddTo(std::vector<Number>& sums, const at::Tensor& terms) {
  const at::Tensor plain = terms.contiguous();
  const auto* term = plain.const_data_ptr<Number>();
  for (Number& sum : sums) sum += *term++;
}

}  // namespace

TrainingCurves::TrainingCurves(int64_t layers, int64_t experts)
    : layers_(layers),
      experts_(experts),
      token_sums_(static_cast<size_t>(layers * experts)),
      gate_sums_(static_cast<size_t>(layers * experts)) {}

void TrainingCurves::AddStep(const TrainingStep& report) {
  loss_.push_back(report.loss);
  balance_loss_.push_back(report.balance_loss);
  gradient_norm_.push_back(report.gradient_norm);
  learning_rate_.push_back(report.learning_rate);
  if (experts_ == 0) return;
  AddTo(token_sums_, report.expert_tokens);
  AddTo(gate_sums_, report.expert_gates);
}

void TrainingCurves::AddEvaluation(double held_out_loss) {
  const int64_t before = evaluation_step_.empty() ? 0 : evaluation_step_.back();
  const auto steps =
      static_cast<double>(std::max<int64_t>(step_count() - before, 1));
  evaluation_step_.push_back(step_count());
  held_out_loss_.push_back(held_out_loss);
  expert_tokens_.insert(expert_tokens_.end(), token_sums_.begin(),
                        token_sums_.end());
  for (const double sum : gate_sums_) expert_gates_.push_back(sum / steps);
  std::ranges::fill(token_sums_, 0);
  std::ranges::fill(gate_sums_, 0);
}

int64_t TrainingCurves::EvaluationsUpTo(int64_t step) const {
  return std::ranges::upper_bound(evaluation_step_, step) -
         evaluation_step_.begin();
}

std::vector<NamedCurve> TrainingCurves::ArraysUpTo(int64_t step) const {
  const int64_t evaluations = EvaluationsUpTo(step);
  std::vector<NamedCurve> arrays{
      {.name = "loss", .array = ArrayOf(loss_, {step})},
      {.name = "balance_loss", .array = ArrayOf(balance_loss_, {step})},
      {.name = "gradient_norm", .array = ArrayOf(gradient_norm_, {step})},
      {.name = "learning_rate", .array = ArrayOf(learning_rate_, {step})},
      {.name = "evaluation_step",
       .array = ArrayOf(evaluation_step_, {evaluations})},
      {.name = "held_out_loss",
       .array = ArrayOf(held_out_loss_, {evaluations})}};
  if (experts_ == 0) return arrays;
  const std::vector<int64_t> shape{evaluations, layers_, experts_};
  arrays.push_back(
      {.name = "expert_tokens", .array = ArrayOf(expert_tokens_, shape)});
  arrays.push_back(
      {.name = "expert_gates", .array = ArrayOf(expert_gates_, shape)});
  return arrays;
}

std::optional<double> TrainingCurves::RecentLoss(int64_t step) const {
  if (step == 0) return std::nullopt;
  const int64_t begin = std::max<int64_t>(step - kRecentSteps, 0);
  double sum = 0;
  for (int64_t s = begin; s < step; ++s) sum += loss_[static_cast<size_t>(s)];
  return sum / static_cast<double>(step - begin);
}

double TrainingCurves::HeldOutLossAt(int64_t step) const {
  return held_out_loss_[static_cast<size_t>(EvaluationsUpTo(step) - 1)];
}

std::vector<NamedCurve> TrainingCurves::State() const {
  std::vector<NamedCurve> arrays = Arrays();
  const std::vector<int64_t> shape{layers_, experts_};
  arrays.push_back(
      {.name = std::string(kTokenSums), .array = ArrayOf(token_sums_, shape)});
  arrays.push_back(
      {.name = std::string(kGateSums), .array = ArrayOf(gate_sums_, shape)});
  return arrays;
}

void TrainingCurves::Restore(const std::vector<NamedCurve>& state) {
  Read(state, "loss", loss_);
  Read(state, "balance_loss", balance_loss_);
  Read(state, "gradient_norm", gradient_norm_);
  Read(state, "learning_rate", learning_rate_);
  Read(state, "evaluation_step", evaluation_step_);
  Read(state, "held_out_loss", held_out_loss_);
  Read(state, "expert_tokens", expert_tokens_);
  Read(state, "expert_gates", expert_gates_);
  Read(state, kTokenSums, token_sums_);
  Read(state, kGateSums, gate_sums_);
}

}  // namespace moeprobe

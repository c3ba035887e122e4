#include "core/model/mlp.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/checkpoint/checkpoint.h"
#include "core/model/mlp_activation.h"
#include "core/model/weight.h"

namespace moeprobe {
namespace {

// Bounds the memory of pre-activations; large enough for matrix products to
// run at full speed.
constexpr int64_t kTokensPerBlock = 2048;

at::Tensor Gather(const at::Tensor& x, const at::Tensor& tokens, int64_t begin,
                  int64_t end) {
  if (tokens.size(0) == x.size(0)) return x.slice(0, begin, end);
  return x.index_select(0, tokens.slice(0, begin, end));
}

TokenWeights WeightsOf(const ExpertRun& run, int64_t begin, int64_t end) {
  if (run.sums == nullptr) return {};
  return {.weights = run.weights.slice(1, begin, end).contiguous(),
          .groups = run.groups.slice(0, begin, end)};
}

}  // namespace

MlpWeights WeightsAs(const MlpTensors& tensors, at::ScalarType type) {
  return {.gate = Weight(tensors.gate, type),
          .up = OptionalWeight(tensors.up, type),
          .gate_bias = OptionalWeight(tensors.gate_bias, type),
          .down_bias = OptionalWeight(tensors.down_bias, type),
          .down = Weight(tensors.down, type)};
}

ActivationWidths WidthsOf(const MlpTensors& tensors) {
  const int64_t width = tensors.gate.shape[0];
  return {.slope = width, .value = tensors.up ? width : 0};
}

Mlp::Mlp(const MlpTensors& tensors, at::ScalarType type)
    : weights_(WeightsAs(tensors, type)) {}

at::Tensor Mlp::Run(const at::Tensor& x, const ExpertRun& run) const {
  const int64_t count = run.tokens.size(0);
  const at::Tensor product = at::empty(
      {run.output_count, weights_.gate.size(0)}, x.options());  // [m, f]
  for (int64_t begin = 0; begin < count; begin += kTokensPerBlock) {
    const int64_t end = std::min(begin + kTokensPerBlock, count);
    const at::Tensor block = Gather(x, run.tokens, begin, end);
    const at::Tensor gate =
        at::linear(block, weights_.gate, weights_.gate_bias);  // [n, f]
    std::optional<at::Tensor> up;                              // [n, f]
    if (weights_.up) up = at::linear(block, *weights_.up);
    ApplyActivation(gate, up, run.rows.slice(0, begin, end), product,
                    WeightsOf(run, begin, end), run.sums);
    if (run.observer != nullptr) {
      run.observer->OnTokens(run.tokens.slice(0, begin, end), gate, up);
    }
  }
  const at::Tensor output =
      at::empty({run.output_count, weights_.down.size(0)}, at::kFloat);
  for (int64_t begin = 0; begin < run.output_count; begin += kTokensPerBlock) {
    const int64_t end = std::min(begin + kTokensPerBlock, run.output_count);
    output.slice(0, begin, end)
        .copy_(at::linear(product.slice(0, begin, end), weights_.down,
                          weights_.down_bias));
  }
  return output;
}

}  // namespace moeprobe

#include "core/model/mlp_activation.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/model/mlp_activation_kernel.h"

namespace moeprobe {
namespace {

constexpr int64_t kTokensPerTask = 32;

// The kernel reads bfloat16 as bits.
template <typename Element>
Element* Data(const at::Tensor& tensor) {
  return static_cast<Element*>(tensor.data_ptr());
}

// Pre-activations of a block, as the functions here take them.
struct Inputs {
  const at::Tensor& gate;
  const std::optional<at::Tensor>& up;

  // Those from number `offset` on.
  template <typename Element>
  ActivationInput<Element> From(int64_t offset) const {
    return {.gate = Data<Element>(gate) + offset,
            .up = up ? Data<Element>(*up) + offset : nullptr};
  }
};

// Without sums: rows as they lie in memory, which is faster than tiles of them.
template <typename Element>
void RunRows(const Inputs& inputs, const at::Tensor& rows,
             const at::Tensor& output) {
  const int64_t width = inputs.gate.size(1);
  const auto* row = rows.const_data_ptr<int64_t>();
  at::parallel_for(0, inputs.gate.size(0), kTokensPerTask,
                   [&](int64_t begin, int64_t end) {
                     for (int64_t t = begin; t < end; ++t) {
                       if (row[t] < 0) continue;
                       ActivationRow(inputs.From<Element>(t * width), width,
                                     Data<Element>(output) + row[t] * width);
                     }
                   });
}

template <typename Element>
void RunTiles(const Inputs& inputs, const at::Tensor& rows,
              const at::Tensor& output, const TokenWeights& tokens,
              const ActivationSums& sums) {
  const ActivationBlock<Element> block{
      .input = inputs.From<Element>(0),
      .output = Data<Element>(output),
      .rows = rows.const_data_ptr<int64_t>(),
      .weights = tokens.weights.const_data_ptr<float>(),
      .groups = tokens.groups.const_data_ptr<int64_t>(),
      .slope = Data<double>(sums.slope),
      .value = Data<double>(sums.value),
      .tokens = inputs.gate.size(0),
      .stride = inputs.gate.size(1),
      .weightings = tokens.weights.size(0)};
  const int64_t tiles = (block.stride + kActivationTile - 1) / kActivationTile;
  at::parallel_for(0, tiles, 1, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t column = tile * kActivationTile;
      ActivationTile(block, column,
                     std::min(kActivationTile, block.stride - column));
    }
  });
}

template <typename Element>
void Run(const Inputs& inputs, const at::Tensor& rows, const at::Tensor& output,
         const TokenWeights& tokens, const ActivationSums* sums) {
  if (sums == nullptr || tokens.weights.size(0) == 0) {
    return RunRows<Element>(inputs, rows, output);
  }
  RunTiles<Element>(inputs, rows, output, tokens, *sums);
}

template <typename Element>
void WriteTerms(const Inputs& inputs, int64_t begin,
                const ActivationTerms& terms) {
  const int64_t stride = inputs.gate.size(1);
  const int64_t columns = terms.slope.size(1);
  auto* slope = terms.slope.mutable_data_ptr<float>();
  auto* value = terms.value.mutable_data_ptr<float>();
  at::parallel_for(
      0, inputs.gate.size(0), kTokensPerTask, [&](int64_t first, int64_t last) {
        for (int64_t t = first; t < last; ++t) {
          TermsRow(inputs.From<Element>(t * stride + begin), columns,
                   slope + t * columns, value + t * terms.value.size(1));
        }
      });
}

// The kernel trusts what it is given.
void CheckTokens(const TokenWeights& tokens, const ActivationSums& sums) {
  TORCH_CHECK(tokens.weights.is_contiguous() && tokens.groups.is_contiguous(),
              "weights and groups of tokens must be contiguous");
  TORCH_CHECK(tokens.weights.size(0) <= kMaxWeightings, "at most ",
              kMaxWeightings, " weightings, got ", tokens.weights.size(0));
  TORCH_CHECK(sums.slope.size(1) == tokens.weights.size(0),
              "sums are of as many weightings as weights are");
}

void CheckInputs(const Inputs& inputs) {
  TORCH_CHECK(
      inputs.gate.is_contiguous() && (!inputs.up || inputs.up->is_contiguous()),
      "activation blocks must be contiguous");
}

}  // namespace

ActivationSums ZeroActivationSums(int64_t groups, int64_t weightings,
                                  const ActivationWidths& widths) {
  return {.slope = at::zeros({groups, weightings, widths.slope}, at::kDouble),
          .value = at::zeros({groups, weightings, widths.value}, at::kDouble)};
}

void ApplyActivation(const at::Tensor& gate,
                     const std::optional<at::Tensor>& up,
                     const at::Tensor& rows, const at::Tensor& output,
                     const TokenWeights& tokens, ActivationSums* sums) {
  const Inputs inputs{.gate = gate, .up = up};
  CheckInputs(inputs);
  TORCH_CHECK(output.is_contiguous(), "activation blocks must be contiguous");
  if (sums != nullptr) CheckTokens(tokens, *sums);
  if (gate.scalar_type() == at::kBFloat16) {
    Run<uint16_t>(inputs, rows, output, tokens, sums);
  } else {
    Run<float>(inputs, rows, output, tokens, sums);
  }
}

ActivationTerms TermsOf(const at::Tensor& gate,
                        const std::optional<at::Tensor>& up, int64_t begin,
                        int64_t end) {
  const Inputs inputs{.gate = gate, .up = up};
  CheckInputs(inputs);
  const int64_t columns = end - begin;
  const ActivationTerms terms{
      .slope = at::empty({gate.size(0), columns}, at::kFloat),
      .value = at::empty({gate.size(0), up ? columns : 0}, at::kFloat)};
  if (gate.scalar_type() == at::kBFloat16) {
    WriteTerms<uint16_t>(inputs, begin, terms);
  } else {
    WriteTerms<float>(inputs, begin, terms);
  }
  return terms;
}

}  // namespace moeprobe

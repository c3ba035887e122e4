#include "core/model/gated_activation.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>

#include "core/model/gated_activation_kernel.h"

namespace moeprobe {
namespace {

constexpr int64_t kTokensPerTask = 32;

// The kernel reads bfloat16 as bits.
template <typename Element>
Element* Data(const at::Tensor& tensor) {
  return static_cast<Element*>(tensor.data_ptr());
}

// Without sums: rows as they lie in memory, which is faster than tiles of them.
template <typename Element>
void RunRows(const at::Tensor& gate, const at::Tensor& up,
             const at::Tensor& rows, const at::Tensor& output) {
  const int64_t width = gate.size(1);
  const auto* row = rows.const_data_ptr<int64_t>();
  at::parallel_for(
      0, gate.size(0), kTokensPerTask, [&](int64_t begin, int64_t end) {
        for (int64_t t = begin; t < end; ++t) {
          if (row[t] < 0) continue;
          GatedActivationRow(Data<Element>(gate) + t * width,
                             Data<Element>(up) + t * width, width,
                             Data<Element>(output) + row[t] * width);
        }
      });
}

template <typename Element>
void RunTiles(const at::Tensor& gate, const at::Tensor& up,
              const at::Tensor& rows, const at::Tensor& output,
              const TokenWeights& tokens, const ActivationSums& sums) {
  const ActivationBlock<Element> block{
      .gate = Data<Element>(gate),
      .up = Data<Element>(up),
      .output = Data<Element>(output),
      .rows = rows.const_data_ptr<int64_t>(),
      .weights = tokens.weights.const_data_ptr<float>(),
      .groups = tokens.groups.const_data_ptr<int64_t>(),
      .slope = Data<double>(sums.slope),
      .value = Data<double>(sums.value),
      .tokens = gate.size(0),
      .stride = gate.size(1),
      .weightings = tokens.weights.size(0)};
  const int64_t tiles = (block.stride + kActivationTile - 1) / kActivationTile;
  at::parallel_for(0, tiles, 1, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t column = tile * kActivationTile;
      GatedActivationTile(block, column,
                          std::min(kActivationTile, block.stride - column));
    }
  });
}

template <typename Element>
void Run(const at::Tensor& gate, const at::Tensor& up, const at::Tensor& rows,
         const at::Tensor& output, const TokenWeights& tokens,
         const ActivationSums* sums) {
  if (sums == nullptr || tokens.weights.size(0) == 0) {
    return RunRows<Element>(gate, up, rows, output);
  }
  RunTiles<Element>(gate, up, rows, output, tokens, *sums);
}

template <typename Element>
void WriteTerms(const at::Tensor& gate, const at::Tensor& up, int64_t begin,
                const ActivationTerms& terms) {
  const int64_t stride = gate.size(1);
  const int64_t columns = terms.slope.size(1);
  const Element* g = Data<Element>(gate) + begin;
  const Element* u = Data<Element>(up) + begin;
  auto* slope = terms.slope.mutable_data_ptr<float>();
  auto* value = terms.value.mutable_data_ptr<float>();
  at::parallel_for(0, gate.size(0), kTokensPerTask,
                   [&](int64_t first, int64_t last) {
                     for (int64_t t = first; t < last; ++t) {
                       GatedTermsRow(g + t * stride, u + t * stride, columns,
                                     slope + t * columns, value + t * columns);
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

}  // namespace

ActivationSums ZeroActivationSums(int64_t groups, int64_t weightings,
                                  int64_t width) {
  return {.slope = at::zeros({groups, weightings, width}, at::kDouble),
          .value = at::zeros({groups, weightings, width}, at::kDouble)};
}

void ApplyGatedActivation(const at::Tensor& gate, const at::Tensor& up,
                          const at::Tensor& rows, const at::Tensor& output,
                          const TokenWeights& tokens, ActivationSums* sums) {
  TORCH_CHECK(
      gate.is_contiguous() && up.is_contiguous() && output.is_contiguous(),
      "activation blocks must be contiguous");
  if (sums != nullptr) CheckTokens(tokens, *sums);
  if (gate.scalar_type() == at::kBFloat16) {
    Run<uint16_t>(gate, up, rows, output, tokens, sums);
  } else {
    Run<float>(gate, up, rows, output, tokens, sums);
  }
}

ActivationTerms TermsOf(const at::Tensor& gate, const at::Tensor& up,
                        int64_t begin, int64_t end) {
  TORCH_CHECK(gate.is_contiguous() && up.is_contiguous(),
              "activation blocks must be contiguous");
  const ActivationTerms terms{
      .slope = at::empty({gate.size(0), end - begin}, at::kFloat),
      .value = at::empty({gate.size(0), end - begin}, at::kFloat)};
  if (gate.scalar_type() == at::kBFloat16) {
    WriteTerms<uint16_t>(gate, up, begin, terms);
  } else {
    WriteTerms<float>(gate, up, begin, terms);
  }
  return terms;
}

}  // namespace moeprobe

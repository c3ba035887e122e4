#include "core/probe/activation_rows.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/model/mlp_activation.h"

namespace moeprobe {
namespace {

// Terms of so many columns of a block stay in the cache.
constexpr int64_t kColumnsPerBlock = 1024;

}  // namespace

ActivationRows::ActivationRows(int64_t row_count,
                               const ActivationWidths& widths,
                               std::vector<RowWeights> sets)
    : sets_(std::move(sets)),
      slope_(at::zeros({row_count, widths.slope}, at::kFloat)),
      value_(at::zeros({row_count, widths.value}, at::kFloat)),
      totals_(at::zeros({row_count}, at::kDouble)) {}

void ActivationRows::OnTokens(const at::Tensor& tokens, const at::Tensor& gate,
                              const std::optional<at::Tensor>& up) {
  std::vector<at::Tensor> weights;  // [rows of a set, n]
  weights.reserve(sets_.size());
  for (const RowWeights& set : sets_) weights.push_back(set(tokens));
  const int64_t width = gate.size(1);
  for (int64_t begin = 0; begin < width; begin += kColumnsPerBlock) {
    const int64_t end = std::min(begin + kColumnsPerBlock, width);
    const ActivationTerms terms = TermsOf(gate, up, begin, end);
    int64_t row = 0;
    for (const at::Tensor& set : weights) {
      const int64_t last = row + set.size(0);
      slope_.slice(0, row, last).slice(1, begin, end).addmm_(set, terms.slope);
      value_.slice(0, row, last).slice(1, begin, end).addmm_(set, terms.value);
      row = last;
    }
  }
  int64_t row = 0;
  for (const at::Tensor& set : weights) {
    const int64_t last = row + set.size(0);
    totals_.slice(0, row, last)
        .add_(set.sum(1, /*keepdim=*/false, at::kDouble));
    row = last;
  }
}

}  // namespace moeprobe

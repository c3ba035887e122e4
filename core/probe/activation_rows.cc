#include "core/probe/activation_rows.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
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

ActivationRows::ActivationRows(const ActivationWidths& widths,
                               std::vector<RowSet> sets)
    : sets_(std::move(sets)) {
  for (const RowSet& set : sets_) {
    sums_.push_back({.slope = at::zeros({set.count, widths.slope}, at::kFloat),
                     .value = at::zeros({set.count, widths.value}, at::kFloat),
                     .totals = at::zeros({set.count}, at::kDouble)});
  }
}

void ActivationRows::OnTokens(const at::Tensor& tokens, const at::Tensor& gate,
                              const std::optional<at::Tensor>& up) {
  std::vector<at::Tensor> weights;  // [rows of a set, n]
  weights.reserve(sets_.size());
  for (size_t s = 0; s < sets_.size(); ++s) {
    weights.push_back(sets_[s].weights(tokens));
    sums_[s].totals.add_(weights[s].sum(1, /*keepdim=*/false, at::kDouble));
  }
  const int64_t width = gate.size(1);
  for (int64_t begin = 0; begin < width; begin += kColumnsPerBlock) {
    const int64_t end = std::min(begin + kColumnsPerBlock, width);
    const ActivationTerms terms = TermsOf(gate, up, begin, end);
    for (size_t s = 0; s < sets_.size(); ++s) {
      sums_[s].slope.slice(1, begin, end).addmm_(weights[s], terms.slope);
      sums_[s].value.slice(1, begin, end).addmm_(weights[s], terms.value);
    }
  }
}

}  // namespace moeprobe

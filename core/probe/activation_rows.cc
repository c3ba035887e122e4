#include "core/probe/activation_rows.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/model/gated_activation.h"

namespace moeprobe {
namespace {

// Terms of so many columns of a block stay in the cache.
constexpr int64_t kColumnsPerBlock = 1024;

}  // namespace

ActivationRows::ActivationRows(int64_t row_count, int64_t width,
                               RowWeights weights)
    : weights_(std::move(weights)),
      slope_(at::zeros({row_count, width}, at::kFloat)),
      value_(at::zeros({row_count, width}, at::kFloat)),
      totals_(at::zeros({row_count}, at::kDouble)) {}

void ActivationRows::OnTokens(const at::Tensor& tokens, const at::Tensor& gate,
                              const at::Tensor& up) {
  const at::Tensor weights = weights_(tokens);  // [R, n]
  totals_.add_(weights.sum(1, /*keepdim=*/false, at::kDouble));
  const int64_t width = gate.size(1);
  for (int64_t begin = 0; begin < width; begin += kColumnsPerBlock) {
    const int64_t end = std::min(begin + kColumnsPerBlock, width);
    const ActivationTerms terms = TermsOf(gate, up, begin, end);
    slope_.slice(1, begin, end).addmm_(weights, terms.slope);
    value_.slice(1, begin, end).addmm_(weights, terms.value);
  }
}

}  // namespace moeprobe

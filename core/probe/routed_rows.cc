#include "core/probe/routed_rows.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/geometry/principal_components.h"
#include "core/model/router.h"
#include "core/probe/probe_options.h"

namespace moeprobe {
namespace {

constexpr int64_t kRowsPerBlock = 2048;

// sum of weight_i h_i, [d] float64, without a float64 copy of `h`.
at::Tensor WeightedSum(const at::Tensor& h, const at::Tensor& weight) {
  at::Tensor sum = at::zeros({h.size(1)}, at::kDouble);
  for (int64_t begin = 0; begin < h.size(0); begin += kRowsPerBlock) {
    const int64_t end = std::min(begin + kRowsPerBlock, h.size(0));
    sum.addmv_(h.slice(0, begin, end).to(at::kDouble).t(),
               weight.slice(0, begin, end));
  }
  return sum;
}

CentredRows GateScaledRows(const at::Tensor& h, const at::Tensor& gate) {
  const auto count = static_cast<double>(h.size(0));
  return {.h = h,
          .scale = gate,
          .centre_scale = at::ones_like(gate),
          .centre = WeightedSum(h, gate) / count,
          .divisor = count - 1};
}

// The T - n zero rows add nothing but their distance to the mean over all T.
// With m the mean over the n rows:
//   sum over T (x - n/T m)^2 = sum over n (x - m)^2 + n (1 - n/T) m m'.
CentredRows ZeroPaddedRows(const at::Tensor& h, const at::Tensor& gate,
                           int64_t token_count) {
  CentredRows rows = GateScaledRows(h, gate);
  const auto n = static_cast<double>(h.size(0));
  const auto total = static_cast<double>(token_count);
  rows.extra_row = rows.centre * std::sqrt(n * (1 - n / total));
  rows.divisor = total - 1;
  return rows;
}

CentredRows SampleWeightedRows(const at::Tensor& h, const at::Tensor& gate) {
  const double total = gate.sum().item<double>();
  const at::Tensor root = gate.sqrt();
  return {.h = h,
          .scale = root,
          .centre_scale = root,
          .centre = WeightedSum(h, gate) / total,
          .divisor = total};
}

}  // namespace

CentredRows RoutedRows(const at::Tensor& h, const ExpertTokens& routed,
                       int64_t token_count, Convention convention) {
  const at::Tensor rows = h.index_select(0, routed.tokens);
  const at::Tensor gate = routed.gates.to(at::kDouble);
  switch (convention) {
    case Convention::kRouted:
      return GateScaledRows(rows, gate);
    case Convention::kAllTokens:
      return ZeroPaddedRows(rows, gate, token_count);
    case Convention::kSampleWeighted:
      return SampleWeightedRows(rows, gate);
  }
  return {};
}

CentredRows ReferenceRows(const at::Tensor& h) {
  return GateScaledRows(h, at::ones({h.size(0)}, at::kDouble));
}

}  // namespace moeprobe

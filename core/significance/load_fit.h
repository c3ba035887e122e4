#ifndef MOEPROBE_CORE_SIGNIFICANCE_LOAD_FIT_H_
#define MOEPROBE_CORE_SIGNIFICANCE_LOAD_FIT_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace moeprobe {

// Returns biases b [E] with which expert e is among the `per_token` largest of
//   logits[t] + b
// for about `loads[e]` of the n rows t of `logits` [n, E] float32, contiguous:
// to one part in a hundred or one row, unless the rows do not allow it (many
// equal ones, say). An expert without load gets minus infinity.
//
// Given the other biases, e is chosen for row t if b_e exceeds the threshold
// that the others set less its logit; so b_e is a quantile of these margins.
// All biases move towards their quantiles at once, on few rows first.
//
// `loads` sum to n times `per_token`, none exceeds n; `per_token` < E.
std::vector<float> FitBiases(const at::Tensor& logits,
                             const std::vector<int64_t>& loads,
                             int64_t per_token);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_SIGNIFICANCE_LOAD_FIT_H_

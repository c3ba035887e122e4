#ifndef MOEPROBE_CORE_PROBE_ACTIVATION_ROWS_H_
#define MOEPROBE_CORE_PROBE_ACTIVATION_ROWS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/model/mlp.h"
#include "core/model/mlp_activation.h"

namespace moeprobe {

// Returns how the given tokens, [n] int64, count in each of R sums, [R, n]
// float32.
using RowWeights = std::function<at::Tensor(const at::Tensor& tokens)>;

// Adds up an expert's activations for more weightings than a pass over them
// can take: a weighting is a row over tokens, and the sums of many are a
// product of matrices.
//
// The rows come in sets, each a product of its own: products of other row
// counts round differently, and what is asked for beside a set must not change
// it.
//
// In float32: these sums are for what is compared with each other, such as
// draws of a null hypothesis, whose differences are far above its rounding.
class ActivationRows final : public ActivationObserver {
 public:
  // For `row_count` sums in all, set after set.
  ActivationRows(int64_t row_count, const ActivationWidths& widths,
                 std::vector<RowWeights> sets);

  void OnTokens(const at::Tensor& tokens, const at::Tensor& gate,
                const std::optional<at::Tensor>& up) override;

  // [R, f] float32; values of no width where there are none.
  const at::Tensor& slope() const { return slope_; }
  const at::Tensor& value() const { return value_; }

  // What the weights of each row sum to, [R] float64.
  const at::Tensor& totals() const { return totals_; }

 private:
  std::vector<RowWeights> sets_;
  at::Tensor slope_;
  at::Tensor value_;
  at::Tensor totals_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_ACTIVATION_ROWS_H_

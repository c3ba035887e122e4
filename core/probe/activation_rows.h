#ifndef MOEPROBE_CORE_PROBE_ACTIVATION_ROWS_H_
#define MOEPROBE_CORE_PROBE_ACTIVATION_ROWS_H_

#include <ATen/core/Tensor.h>

#include <cstddef>
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

// Sums that are asked for together.
struct RowSet {
  int64_t count = 0;  // R
  RowWeights weights;
};

// What they come to.
struct RowSums {
  at::Tensor slope;   // [R, f] float32
  at::Tensor value;   // [R, f or 0] float32
  at::Tensor totals;  // [R] float64: what the weights of each row sum to
};

// Adds up an expert's activations for more weightings than a pass over them
// can take: a weighting is a row over tokens, and the sums of many are a
// product of matrices.
//
// The rows come in sets, each a product of its own in memory of its own:
// products of other row counts, and of rows that begin elsewhere, round
// differently, and what is asked for beside a set must not change it.
//
// In float32: these sums are for what is compared with each other, such as
// draws of a null hypothesis, whose differences are far above its rounding.
class ActivationRows final : public ActivationObserver {
 public:
  ActivationRows(const ActivationWidths& widths, std::vector<RowSet> sets);

  void OnTokens(const at::Tensor& tokens, const at::Tensor& gate,
                const std::optional<at::Tensor>& up) override;

  // Of a set by its place among them.
  const RowSums& sums(size_t set) const { return sums_[set]; }

 private:
  std::vector<RowSet> sets_;
  std::vector<RowSums> sums_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_ACTIVATION_ROWS_H_

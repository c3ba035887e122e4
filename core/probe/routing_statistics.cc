#include "core/probe/routing_statistics.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/xlogy.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>

#include "core/model/router.h"
#include "core/probe/probe_result.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

constexpr int64_t kMarginBins = 64;
constexpr double kMarginBinWidth = 1.0 / 16;

// [T, E] float64: `values` where an expert is chosen, else 0.
at::Tensor Scatter(const Routing& routing, const at::Tensor& values) {
  return at::zeros(routing.logits.sizes(), at::kDouble)
      .scatter_(1, routing.chosen, values.to(at::kDouble));
}

at::Tensor Entropy(const at::Tensor& probabilities) {
  const at::Tensor p = probabilities.to(at::kDouble);
  return at::xlogy(p, p).sum(1).neg_();
}

// Share of a window's consecutive tokens with a choice in common among the
// first `depth`.
at::Tensor RepeatRate(const at::Tensor& chosen, const at::Tensor& counted,
                      int64_t sequence_length, int64_t depth) {
  const at::Tensor first =
      chosen.slice(1, 0, depth).view({-1, sequence_length, depth});
  const at::Tensor before = first.slice(1, 0, sequence_length - 1);
  const at::Tensor after = first.slice(1, 1);
  const at::Tensor shared = before.unsqueeze(3)
                                .eq(after.unsqueeze(2))
                                .flatten(2)
                                .any(2);  // [windows, S - 1]
  const at::Tensor mask = counted.view({-1, sequence_length});
  const at::Tensor pair =
      mask.slice(1, 0, sequence_length - 1).logical_and(mask.slice(1, 1));
  return shared.logical_and(pair).sum().to(at::kDouble) /
         pair.sum().to(at::kDouble);
}

at::Tensor MarginHistogram(const Routing& routing, const at::Tensor& index) {
  const int64_t k = routing.chosen.size(1);
  if (routing.logits.size(1) <= k) return at::zeros({kMarginBins}, at::kLong);
  const at::Tensor sorted = std::get<0>(
      at::sort(routing.logits.index_select(0, index), -1, /*descending=*/true));
  const at::Tensor margin =
      sorted.select(1, k - 1).to(at::kDouble) - sorted.select(1, k);
  const at::Tensor bin = margin.div(kMarginBinWidth)
                             .floor()
                             .clamp(0, kMarginBins - 1)
                             .to(at::kLong);
  return bin.bincount({}, kMarginBins);
}

at::Tensor MarginEdges() {
  at::Tensor edges =
      at::arange(kMarginBins + 1, at::kDouble).mul_(kMarginBinWidth);
  edges[kMarginBins] = std::numeric_limits<double>::infinity();
  return edges;
}

}  // namespace

ProbeResult RoutingStatistics(const Routing& routing, const at::Tensor& counted,
                              int64_t sequence_length) {
  const at::Tensor index = counted.nonzero().flatten();
  const at::Tensor gates =
      Scatter(routing, routing.gates).index_select(0, index);
  const at::Tensor one = at::zeros(routing.gates.sizes()).fill_(1);
  const at::Tensor chosen = Scatter(routing, one).index_select(0, index);
  const at::Tensor together = chosen.t().mm(chosen).round().to(at::kLong);
  const int64_t pair = std::min<int64_t>(2, routing.chosen.size(1));

  ProbeResult result;
  const auto add = [&result](const std::string& name, const at::Tensor& value) {
    result.arrays.push_back(
        {.name = name, .probe = "routing", .array = ToArray(value)});
  };
  add("expert_count", together.diagonal());
  add("gate_mean", gates.mean(0));
  add("routing_entropy",
      Entropy(routing.probabilities.index_select(0, index)).mean());
  add("coactivation", together);
  add("repeat_rate",
      at::stack({RepeatRate(routing.chosen, counted, sequence_length, 1),
                 RepeatRate(routing.chosen, counted, sequence_length, pair)}));
  add("margin_histogram", MarginHistogram(routing, index));
  add("margin_edges", MarginEdges());
  return result;
}

}  // namespace moeprobe

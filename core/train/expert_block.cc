#include "core/train/expert_block.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "core/model/routing_rule.h"
#include "core/train/expert_mixture.h"
#include "core/train/expert_rows.h"
#include "core/train/parameters.h"
#include "core/train/token_gates.h"

namespace moeprobe {
namespace {

// Gates of a dense MLP: 1.
TokenGates DenseGates(const at::Tensor& x) {
  const at::Tensor ones = at::ones({x.size(0), 1}, x.options());
  return {.probabilities = ones, .gates = ones};
}

ExpertRows RowsOf(const TokenGates& gates) {
  const int64_t experts = gates.probabilities.size(1);
  return gates.chosen.defined() ? ExpertRows::Chosen(gates.chosen, experts)
                                : ExpertRows::All(gates.gates.size(0), experts);
}

}  // namespace

at::Tensor RunExpertBlock(const at::Tensor& x, const LayerParameters& layer,
                          const RoutingRule& rule,
                          std::vector<TokenGates>& routing) {
  const bool is_dense = !layer.router.defined();
  TokenGates gates =
      is_dense
          ? DenseGates(x)
          : GateTokens(at::linear(x, layer.router, layer.router_bias), rule);
  at::Tensor y = MixExperts(x, gates.gates, RowsOf(gates), layer.experts);
  if (layer.experts.down_bias.defined()) {
    y = y + GatesByExpert(gates).mm(layer.experts.down_bias);
  }
  if (!is_dense) routing.push_back(std::move(gates));
  return y;
}

}  // namespace moeprobe

#include "core/train/token_gates.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "core/model/router.h"
#include "core/model/routing_rule.h"

namespace moeprobe {

TokenGates GateTokens(const at::Tensor& logits, const RoutingRule& rule) {
  TokenGates result;
  result.probabilities = (logits / rule.temperature).softmax(-1);
  if (rule.per_token == logits.size(1)) {
    result.gates = result.probabilities;
    return result;
  }
  result.chosen = RouteLogits(logits.detach(), rule).chosen;
  result.gates = result.probabilities.gather(1, result.chosen);
  if (rule.renormalize) {
    result.gates = result.gates / result.gates.sum(1, /*keepdim=*/true);
  }
  return result;
}

at::Tensor GatesByExpert(const TokenGates& gates) {
  if (!gates.chosen.defined()) return gates.gates;
  return at::zeros_like(gates.probabilities)
      .scatter(1, gates.chosen, gates.gates);
}

at::Tensor TokensByExpert(const TokenGates& gates) {
  const int64_t experts = gates.probabilities.size(1);
  if (!gates.chosen.defined()) {
    return at::full({experts}, gates.probabilities.size(0), at::kLong);
  }
  return gates.chosen.flatten().bincount({}, experts);
}

}  // namespace moeprobe

#ifndef MOEPROBE_CORE_TRAIN_TOKEN_GATES_H_
#define MOEPROBE_CORE_TRAIN_TOKEN_GATES_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/model/routing_rule.h"

namespace moeprobe {

// Where T tokens go, with a gradient with respect to the router's logits.
struct TokenGates {
  at::Tensor probabilities;  // [T, E]: softmax of logits / temperature
  // [T, k] int64: the chosen experts; undefined where every token goes through
  // all of them.
  at::Tensor chosen = {};
  at::Tensor gates;  // [T, k]; [T, E] where every token goes through all
};

// Routes by `rule`, as Route() does; with per_token = E every token goes
// through all experts, its gates being the probabilities (eq. 11). The choice
// itself has no gradient.
//
// `logits` [T, E] float32.
TokenGates GateTokens(const at::Tensor& logits, const RoutingRule& rule);

// Returns the gates as [T, E], 0 where an expert is not chosen.
at::Tensor GatesByExpert(const TokenGates& gates);

// Returns how many tokens go to each expert, [E] int64.
at::Tensor TokensByExpert(const TokenGates& gates);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_TOKEN_GATES_H_

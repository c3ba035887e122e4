#ifndef MOEPROBE_CORE_MODEL_ROUTER_H_
#define MOEPROBE_CORE_MODEL_ROUTER_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/model/routing_rule.h"

namespace moeprobe {

// Where T tokens go.
struct Routing {
  at::Tensor logits;         // [T, E] float32
  at::Tensor probabilities;  // [T, E] float32: softmax over all experts
  at::Tensor chosen;         // [T, k] int64: most probable first
  at::Tensor gates;          // [T, k] float32: what outputs are multiplied with
};

// Routes hidden states `h` [T, d] by `weight` [E, d], both float32, by `rule`.
//
// Of equally probable experts the one with the lowest index is chosen. Since
// no temperature changes an order, experts are chosen by their probabilities
// at temperature 1: where another one lets them underflow, they still differ.
Routing Route(const at::Tensor& h, const at::Tensor& weight,
              const RoutingRule& rule);

// Routes by `logits` [T, E] float32 as Route does.
Routing RouteLogits(const at::Tensor& logits, const RoutingRule& rule);

// Returns the gradients of the chosen gates with respect to h, [T, k, d]
// float64: with p the softmax over all experts at temperature t and w_e the
// rows of `weight`,
//   g = p:          grad g_e = g_e / t (w_e - sum over all e' of p_e' w_e')
//   renormalised:   grad g_e = g_e / t (w_e - sum over the chosen g_e' w_e').
// Which experts are chosen is held fixed: it changes on a set of measure zero.
at::Tensor GateGradients(const Routing& routing, const at::Tensor& weight,
                         const RoutingRule& rule);

// Returns the routing of some tokens, [n] int64.
Routing RoutingOfTokens(const Routing& routing, const at::Tensor& tokens);

// The routing of a dense MLP: one expert, which every token goes to with gate
// 1.
Routing DenseRouting(int64_t token_count);

// The tokens routed to one expert.
struct ExpertTokens {
  at::Tensor tokens;  // [n] int64, ascending
  at::Tensor gates;   // [n] float32
};

// Groups tokens by expert: E entries.
std::vector<ExpertTokens> GroupByExpert(const Routing& routing);

// Returns an expert's tokens without those that do not count. `counted` [T]
// bool.
ExpertTokens Counted(const ExpertTokens& routed, const at::Tensor& counted);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_ROUTER_H_

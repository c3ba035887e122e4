#ifndef MOEPROBE_CORE_SIGNIFICANCE_RANDOM_ROUTER_H_
#define MOEPROBE_CORE_SIGNIFICANCE_RANDOM_ROUTER_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "core/significance/routing_draws.h"

namespace moeprobe {

// Random-router null: does *this* routing do more than any linear partition of
// the tokens would? Each draw routes by Gaussian rows acting on the centred
// hidden states, each expert's logits scaled to the standard deviation of the
// model's own, with biases fitted so that each expert's load is the model's (to
// about 1 %); then softmax, the top k and renormalisation as in the model.
//
// `h` [T, d] float32; `counted` [T] bool: tokens whose loads, means and
// standard deviations count. The others are routed along. A draw depends on
// `seed` and its own index alone.
//
// Where every token goes to every expert there is nothing to draw: no draws.
RoutingDraws RandomRouters(const at::Tensor& h, const Routing& routing,
                           const at::Tensor& counted, const RoutingRule& rule,
                           int64_t draws, int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_SIGNIFICANCE_RANDOM_ROUTER_H_

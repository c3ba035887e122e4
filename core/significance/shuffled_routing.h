#ifndef MOEPROBE_CORE_SIGNIFICANCE_SHUFFLED_ROUTING_H_
#define MOEPROBE_CORE_SIGNIFICANCE_SHUFFLED_ROUTING_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/model/router.h"
#include "core/significance/routing_draws.h"

namespace moeprobe {

// Permutation null: what the router decided, dealt out to the tokens that count
// at random, so that routing has nothing to do with content. Loads and gates
// are the model's. `counted` [T] bool; the other tokens keep their routing.
RoutingDraws ShuffledRouting(const Routing& routing, const at::Tensor& counted,
                             int64_t draws, int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_SIGNIFICANCE_SHUFFLED_ROUTING_H_

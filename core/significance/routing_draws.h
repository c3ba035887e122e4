#ifndef MOEPROBE_CORE_SIGNIFICANCE_ROUTING_DRAWS_H_
#define MOEPROBE_CORE_SIGNIFICANCE_ROUTING_DRAWS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Routings drawn from a null hypothesis, for the same tokens as the model's.
struct RoutingDraws {
  at::Tensor chosen;  // [n, T, k] int64
  at::Tensor gates;   // [n, T, k] float32

  // Number of draws; 0 where there are none.
  int64_t count() const { return chosen.defined() ? chosen.size(0) : 0; }
};

// The routings of both null hypotheses, each none where it is not asked for.
struct NullRoutings {
  RoutingDraws random_router;
  RoutingDraws permutations;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_SIGNIFICANCE_ROUTING_DRAWS_H_

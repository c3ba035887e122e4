#ifndef MOEPROBE_CORE_PROBE_DRAW_WEIGHTS_H_
#define MOEPROBE_CORE_PROBE_DRAW_WEIGHTS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/probe/probe_options.h"
#include "core/significance/routing_draws.h"

namespace moeprobe {

// Returns the weight that each routing drawn gives an expert at some tokens,
// [n] int64: [draws, n] float32; 0 where it is not chosen. `weighting`: routed
// or gate.
at::Tensor DrawWeights(const RoutingDraws& draws, int64_t expert,
                       Weighting weighting, const at::Tensor& tokens);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_DRAW_WEIGHTS_H_

#ifndef MOEPROBE_CORE_PROBE_ROUTING_STATISTICS_H_
#define MOEPROBE_CORE_PROBE_ROUTING_STATISTICS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/model/router.h"
#include "core/probe/probe_result.h"

namespace moeprobe {

// Returns what one says about a layer's routing (SPEC: routing), over the
// tokens that count:
//   expert_count [E] int64      tokens routed to each expert
//   gate_mean [E]               mean of g_e over all tokens
//   routing_entropy []          of the softmax, nats, mean over tokens
//   coactivation [E, E] int64   tokens routed to both; the diagonal is
//                               expert_count
//   repeat_rate [2]             of a window's consecutive tokens, the share
//                               whose first choices agree, and the share whose
//                               first two choices have one in common
//   margin_histogram [64] int64, margin_edges [65]
//                               of the margin between the k-th and the (k+1)-th
//                               logit: bins of 1/16, the last one open
// Rates over no token or pair are NaN. Margins need an expert that is not
// chosen; without one the histogram is empty.
//
// `counted` [T] bool: tokens that count; T is whole windows of
// `sequence_length`.
ProbeResult RoutingStatistics(const Routing& routing, const at::Tensor& counted,
                              int64_t sequence_length);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_ROUTING_STATISTICS_H_

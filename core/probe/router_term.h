#ifndef MOEPROBE_CORE_PROBE_ROUTER_TERM_H_
#define MOEPROBE_CORE_PROBE_ROUTER_TERM_H_

#include <cstdint>

#include "core/model/routing_rule.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/probe/token_bootstrap.h"

namespace moeprobe {

// Widths up to which the router term is exact.
inline constexpr int64_t kMostProbedDirections = 512;

// What eq. 2 leaves out: the Jacobian of x -> sum g_e(x) f_e(x) is A + N, with
// A = sum g_e J_e and N = sum f_e grad g_e' over the chosen experts. At each of
// some counted tokens, shared experts left out:
//   router_term_ratio [n]        |N|_F / |A + N|_F
//   router_term_ratio/error [n]  standard error of each, of its estimation
// N has rank k at most: |N|^2 = sum over e, e' of <f_e, f_e'><grad g_e, grad
// g_e'>, and <A, N> = sum f_e' A grad g_e. What remains is |A|^2. Up to
// kMostProbedDirections wide, A + N is multiplied by every unit vector, in
// float64, and the standard error is 0. Wider, |A|^2 is d times the mean of
// |A q|^2 over that many orthonormal random directions q, the same for all
// tokens; the standard error is that of this mean.
//
// In a dense layer, one expert with gate 1, the ratio is 0. Where A + N is zero
// it is NaN, with a warning. `rule`: what the layer's routing was made by.
// `seed`: of the directions.
//
// Where `bootstrap` draws, what TokenBootstrap adds for the mean over the
// tokens where there is a ratio comes under probe group nulls/router_term.
ProbeResult RouterTerm(const ProbedLayer& layer, const RoutingRule& rule,
                       const RouterTermOptions& options, int64_t seed,
                       const TokenBootstrap& bootstrap);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_ROUTER_TERM_H_

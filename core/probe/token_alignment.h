#ifndef MOEPROBE_CORE_PROBE_TOKEN_ALIGNMENT_H_
#define MOEPROBE_CORE_PROBE_TOKEN_ALIGNMENT_H_

#include <cstdint>

#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"

namespace moeprobe {

// Widths up to which alignments at single tokens are exact.
inline constexpr int64_t kMostExactTokenWidth = 512;

// Whether experts do the same to the same tokens (SPEC: "locally
// decorrelated"), at a sample of counted tokens x that every expert is asked
// about, wherever they are routed:
//   jacobian_cosine/token [E, E]        mean over x of cos(J_e(x), J_e'(x))
//   jacobian_cosine/token_error [E, E]  its standard error, given the tokens
// Up to kMostExactTokenWidth wide, the Jacobians are multiplied by every unit
// vector, in float64, and the error is 0. Wider, by random directions, the same
// for all tokens and experts. No Jacobian is built.
//
// The shared expert is left out. Where an expert's Jacobian is zero at a token,
// its rows are NaN, with a warning. `seed`: of tokens and directions.
ProbeResult TokenAlignment(const ProbedLayer& layer, int64_t tokens,
                           int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_TOKEN_ALIGNMENT_H_

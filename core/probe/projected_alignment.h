#ifndef MOEPROBE_CORE_PROBE_PROJECTED_ALIGNMENT_H_
#define MOEPROBE_CORE_PROBE_PROJECTED_ALIGNMENT_H_

#include <cstddef>
#include <cstdint>

#include "core/probe/jacobian_sums.h"
#include "core/probe/probe_result.h"

namespace moeprobe {

// Alignment of the experts' outputs in single directions, for the weighting w:
//   jacobian_cosine_projected/w [m, E, E]   cosines of v'J_e over experts
// for m = `projections` vectors v: ones, then Gaussians drawn with `seed`.
// Between vectors of d numbers cosines of nothing but chance have a standard
// deviation of 1 / sqrt(d); between d x d matrices it is far smaller (SPEC).
// An expert without weight is NaN.
ProbeResult ProjectedAlignment(const JacobianSums& sums, size_t weighting,
                               int64_t projections, int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_PROJECTED_ALIGNMENT_H_

#ifndef MOEPROBE_CORE_PROBE_ALIGNMENT_REPLICATES_H_
#define MOEPROBE_CORE_PROBE_ALIGNMENT_REPLICATES_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/probe/drawn_rows.h"
#include "core/probe/jacobian_sums.h"

namespace moeprobe {

// Widths up to which replicates of alignments are exact.
inline constexpr int64_t kMostExactReplicates = 64;

// Inner products of experts' averaged Jacobians for one weighting, in many
// variants of the sample; float64. Jacobians may be scaled by a factor of their
// own, which no cosine shows.
struct AlignmentReplicates {
  at::Tensor whole;    // [n, E, E]: <J_e, J_e'> with window groups counted
  at::Tensor crossed;  // [n, E, E]: <A_e, B_e'> of even and odd groups
  at::Tensor drawn;    // [draws, E, E]: <J_e, J_e'> under other routings
};

// Returns the replicates of every weighting of `sums`, in order. Each row of
// `counts` [n, groups] float64 says how often each window group is in a
// replicate. `drawn` has no rows for weightings that routing does not enter.
//
// In place of d x d matrices their products with random directions q, the same
// for all, are compared: <J, K> is d times the mean of <J q, K q>. A replicate
// costs 2 f d operations a direction instead of 2 f d^2 altogether. What this
// adds to a cosine is large next to the differences between replicates, and
// nearly the same in all: look at differences only. Up to kMostExactReplicates
// wide, all unit vectors are taken and nothing is added.
std::vector<AlignmentReplicates> ReplicateAlignments(const JacobianSums& sums,
                                                     const DrawnRows& drawn,
                                                     const at::Tensor& counts,
                                                     int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_ALIGNMENT_REPLICATES_H_

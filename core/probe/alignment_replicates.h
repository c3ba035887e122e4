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

// Inner products of experts' Jacobians for one weighting, in many variants of
// the sample; float64. All J are sums, not averages; A and B are the sums of
// the even and the odd window groups, and J(0) the first variant's.
struct AlignmentReplicates {
  at::Tensor whole;       // [n, E, E]: <J_e, J_e'> with window groups counted
  at::Tensor crossed;     // [n, E, E]: <A_e, B_e'>
  at::Tensor even_first;  // [n, E, E]: <A_e, J(0)_e'>
  at::Tensor odd_first;   // [n, E, E]: <B_e, J(0)_e'>
  // Under other routings, [1 + draws, E, E]; 0 is the model's own. Not defined
  // where there are none.
  at::Tensor drawn = {};      // <J_e, J_e'>
  at::Tensor drawn_all = {};  // <J_e, J(0)_e'>, J(0) of all tokens
};

// Returns the replicates of every weighting of `sums`, in order. Each row of
// `counts` [n, groups] float64 says how often each window group is in a
// replicate; the first is all ones.
//
// In place of d x d matrices their products with random directions q, the same
// for all, are compared: <J, K> is d times the mean of <J q, K q>. A replicate
// costs 2 f d operations a direction instead of 2 f d^2 altogether. What this
// adds to a cosine is of the order of 1 / sqrt(m d) for m directions, as if
// Jacobians were vectors of so many numbers. Use it for what is small beside
// that, see AlignmentSignificance. Up to kMostExactReplicates wide, all unit
// vectors are taken and nothing is added.
//
// Weights stored in bfloat16 are multiplied in it.
std::vector<AlignmentReplicates> ReplicateAlignments(const JacobianSums& sums,
                                                     const DrawnRows& drawn,
                                                     const at::Tensor& counts,
                                                     int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_ALIGNMENT_REPLICATES_H_

#ifndef MOEPROBE_CORE_PROBE_WEIGHT_OVERLAP_H_
#define MOEPROBE_CORE_PROBE_WEIGHT_OVERLAP_H_

#include <cstdint>

#include "core/checkpoint/checkpoint.h"
#include "core/probe/probe_result.h"

namespace moeprobe {

// How far experts read from, and write to, the same directions, from their
// weights alone: s(i, j) = |Q_i'Q_j|_F^2 / r for the subspaces of size
// r = min(rank, d, f) that belong to the largest singular values,
//   weight_overlap/input [E, E]   right ones of [W_gate; W_up], or of W_gate
//                                 where there is no W_up
//   weight_overlap/output [E, E]  left ones of W_down
//   weight_overlap/input_energy, weight_overlap/output_energy [E]  share of the
//                                 squared norm in the subspace
//   weight_overlap/floor []       r / d: what random subspaces have
// An expert without weights, all zero, is NaN, with a warning; where r = d
// there is but one subspace: every overlap is the floor, 1, with a warning.
//
// The order of an expert's neurons and its scale change nothing. Shared experts
// are left out. Each weight is read once.
ProbeResult WeightOverlap(const LayerTensors& tensors, int64_t rank);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_WEIGHT_OVERLAP_H_

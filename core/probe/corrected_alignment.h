#ifndef MOEPROBE_CORE_PROBE_CORRECTED_ALIGNMENT_H_
#define MOEPROBE_CORE_PROBE_CORRECTED_ALIGNMENT_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/probe/jacobian_sums.h"
#include "core/probe/probe_result.h"

namespace moeprobe {

// Widths up to which corrected alignments are exact.
inline constexpr int64_t kMostExactHalves = 512;

// Alignment without the noise that few tokens add. With A and B the averaged
// Jacobians over the even and the odd window groups, for the weighting w:
//   jacobian_cosine_corrected/w [E, E]
//     (<A_e, B_e'> + <B_e, A_e'>) / 2 / sqrt(<A_e, B_e> <A_e', B_e'>)
//   jacobian_cosine_corrected/w/error [E, E]  its standard error
// The halves share no token, so their noise is independent and its inner
// products vanish on average, where |J_e|^2 holds noise and lowers the cosine.
//
// The inner products are those of the whole sample, which are exact, plus what
// the halves add to them. That is small, and taken over random directions where
// the model is wider than kMostExactHalves; elsewhere over all of them, and the
// error is 0. `gram` [n, n]: <J_e, J_e'> of the experts that have weight, in
// order. `seed`: of the directions.
//
// NaN, with a warning, for an expert without weight in one of the halves and
// where <A_e, B_e> <= 0. Adds both arrays to `result` and returns the cosines.
at::Tensor CorrectedAlignment(const JacobianSums& sums, size_t weighting,
                              const at::Tensor& gram, int64_t seed,
                              ProbeResult& result);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_CORRECTED_ALIGNMENT_H_

#ifndef MOEPROBE_CORE_PROBE_ALIGNMENT_SIGNIFICANCE_H_
#define MOEPROBE_CORE_PROBE_ALIGNMENT_SIGNIFICANCE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/probe/alignment_gradient.h"
#include "core/probe/drawn_rows.h"
#include "core/probe/jacobian_sums.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"

namespace moeprobe {

// The alignments of one weighting whose means are judged, [E, E] each, and how
// the former's mean changes with each expert's average; of an expert that has
// none, the gradient is not defined.
struct ObservedAlignment {
  at::Tensor cosine;
  at::Tensor corrected;
  std::vector<AlignmentGradient> gradients;
};

// Returns what resampled windows and, where there are rows drawn, other
// routings say of the mean over pairs of experts of jacobian_cosine/w and
// jacobian_cosine_corrected/w (intervals only), for every weighting w of `sums`
// in order; see AddSignificance for the arrays. Experts that are NaN in a
// replicate are left out of its mean.
//
// The mean f of a variant of the sample is taken in three parts,
//   f(J) = f(J0) + L(J - J0) + rest,
// around a J0 whose f is exact: the sample for the bootstrap, all tokens for
// other routings. L is the gradient, exact too. Only the rest, of second order
// in what differs, comes from ReplicateAlignments. Null draws are moved by what
// the same way finds for the model's own routing, less what is exact.
//
// Fewer than two experts have no pairs: nothing.
ProbeResult AlignmentSignificance(
    const JacobianSums& sums, const DrawnRows& drawn,
    const std::vector<ObservedAlignment>& observed, const NullOptions& options,
    int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_ALIGNMENT_SIGNIFICANCE_H_

#ifndef MOEPROBE_CORE_PROBE_MATCHED_REFERENCE_H_
#define MOEPROBE_CORE_PROBE_MATCHED_REFERENCE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/model/router.h"
#include "core/probe/probe_result.h"
#include "core/probe/projected_tokens.h"

namespace moeprobe {

// Draws of each expert's matched sample.
inline constexpr int64_t kMatchedDraws = 20;

// What is left of "few components" when the sample is as small: effective rank
// and the number of components grow with the number of tokens. For each expert
// e, over 20 samples of as many tokens as are routed to e, drawn from all that
// count, without routing:
//   pca/matched/effective_rank, pca/matched/participation_ratio   [E]: means
//   pca/matched/effective_rank_std, .../participation_ratio_std   [E]
//   pca/matched/components                                     [E, 4]: means
// NaN for an expert with fewer than `components` + 1 tokens. Nothing where
// there is one expert, which all tokens go to.
//
// The samples' spectra beyond the dimensions of `tokens` have the shape of
// those of a few samples whose PCA is exact, of sizes in between.
ProbeResult MatchedReference(const at::Tensor& h, const ProjectedTokens& tokens,
                             const Routing& routing, const at::Tensor& counted,
                             int64_t components, int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_MATCHED_REFERENCE_H_

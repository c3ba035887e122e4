#ifndef MOEPROBE_CORE_PROBE_REPLICATE_PCA_H_
#define MOEPROBE_CORE_PROBE_REPLICATE_PCA_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/probe/projected_tokens.h"

namespace moeprobe {

// PCAs of weighted tokens in the coordinates of ProjectedTokens. One without
// enough rows, or without variance, is NaN.
struct ReplicatePca {
  at::Tensor shares;  // [r, m] float64: lambda / (sum of all), descending
  at::Tensor rest;    // [r] float64: share of the variance beyond m dimensions
  at::Tensor basis;   // [r, m, n] float64: orthonormal columns
};

// Returns the PCA for each of `moments`: of the covariance
//   sum w z z' - (sum b z)(sum b z)' / total
// up to a factor. `mean` [m]: that of the tokens; `total` [r] float64: n for
// rows g h of the routed tokens, T for those of all tokens, sum of g for sample
// weights. At least `components` + 1 rows are needed.
ReplicatePca FindReplicatePca(const Moments& moments, const at::Tensor& mean,
                              const at::Tensor& total, int64_t components);

// What the spectrum beyond m dimensions looks like, by expert. It is not known
// for a replicate; its share is. With shares q within the rest:
struct RestShape {
  at::Tensor entropy;  // [E] float64: -sum q ln q
  at::Tensor squares;  // [E] float64: sum q^2
};

// Returns the shape with which `pca` (r = E) has exactly the given effective
// ranks and participation ratios, [E]
// float64; NaN where they are, and so is what is made of it.
RestShape FitRestShape(const ReplicatePca& pca,
                       const at::Tensor& effective_rank,
                       const at::Tensor& participation_ratio);

// exp(-sum p ln p) over all shares; [r], with the rest's shape [r].
at::Tensor EffectiveRanks(const ReplicatePca& pca, const RestShape& shape);

// 1 / sum p^2 over all shares; [r].
at::Tensor ParticipationRatios(const ReplicatePca& pca, const RestShape& shape);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_REPLICATE_PCA_H_

#ifndef MOEPROBE_CORE_PROBE_PCA_SIGNIFICANCE_H_
#define MOEPROBE_CORE_PROBE_PCA_SIGNIFICANCE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "core/model/router.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/projected_tokens.h"
#include "core/probe/routed_pca.h"
#include "core/significance/routing_draws.h"
#include "core/significance/window_groups.h"

namespace moeprobe {

// A layer as resampling sees it.
struct ResampledLayer {
  const ProjectedTokens& tokens;  // see ProjectForReplicates
  int64_t width = 0;              // d
  const Routing& routing;
  const at::Tensor& counted;  // [T] bool: tokens that count
  const WindowGroups& windows;
  const NullRoutings& nulls;
};

// Projects `h` [T, d] float32 onto as many directions as replicates of PCAs of
// `expert_count` experts use.
ProjectedTokens ProjectForReplicates(const at::Tensor& h,
                                     const at::Tensor& counted,
                                     int64_t expert_count, int64_t components);

// Whether what RoutedPca found means anything. For each convention c, and each
// of the quantities grassmann/c, pca/c/effective_rank and
// pca/c/participation_ratio, the arrays of AddSignificance for its printed
// mean; the halves of the windows, A and B, against each other:
//   grassmann/c/split_half_within [E]       d(Q_e^A, Q_e^B)
//   grassmann/c/split_half_between [E, E]   d(Q_e^A, Q_e'^B)
// the interval of pca/all/effective_rank; and mean and standard deviation of
// the distance between two random subspaces of R^d:
//   grassmann/random_subspaces [2]
//
// A replicate is a PCA in m leading directions of all tokens, the shape of its
// spectrum beyond them taken from the exact PCA (docs/decisions/0010); where
// d <= m it is exact.
//
// `exact`: what RoutedPca found with the same `options`.
ProbeResult PcaSignificance(const ResampledLayer& layer,
                            const PcaFindings& exact, const PcaOptions& options,
                            const NullOptions& nulls, int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_PCA_SIGNIFICANCE_H_

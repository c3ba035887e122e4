#ifndef MOEPROBE_CORE_PROBE_ROUTED_PCA_H_
#define MOEPROBE_CORE_PROBE_ROUTED_PCA_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "absl/status/statusor.h"
#include "core/model/router.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"

namespace moeprobe {

// What replicates of a PCA are held against.
struct ExactPca {
  at::Tensor effective_rank;       // [E] float64
  at::Tensor participation_ratio;  // [E] float64
  at::Tensor distance = {};  // [E, E] float64; undefined for the reference
};

// What RoutedPca finds.
struct PcaFindings {
  ProbeResult result;
  std::vector<ExactPca> conventions;  // as in the options
  ExactPca reference;                 // E = 1
};

// Where a layer's experts work (eqs. 7-8): for each convention c
//   pca/c/eigenvalues [E, d], pca/c/effective_rank [E],
//   pca/c/participation_ratio [E], pca/c/gap [E], pca/c/components [E, 4],
//   grassmann/c [E, E]
// on request pca/c/basis [E, d, n] float32 and principal_angles/c [E, E, n];
// and, under pca/all/, the PCA of all tokens without routing: the layer's
// reference, with E = 1.
//
// An expert with fewer than n + 1 counted tokens is NaN (its component counts
// are -1), with a warning; so is one whose rows differ in fewer than n
// directions by more than the rounding of float32 (eigenvalues of 1e-12 of the
// rows' mean square), and so is the reference.
//
// `h` [T, d] float32: input of the block; `counted` [T] bool: tokens that
// count. InvalidArgument if n is not in [1, d].
absl::StatusOr<PcaFindings> RoutedPca(const at::Tensor& h,
                                      const Routing& routing,
                                      const at::Tensor& counted,
                                      const PcaOptions& options);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_ROUTED_PCA_H_

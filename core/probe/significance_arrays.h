#ifndef MOEPROBE_CORE_PROBE_SIGNIFICANCE_ARRAYS_H_
#define MOEPROBE_CORE_PROBE_SIGNIFICANCE_ARRAYS_H_

#include <ATen/core/Tensor.h>

#include <string>

#include "core/probe/probe_result.h"

namespace moeprobe {

// The printed mean of a quantity, and replicates of it, each [n] float64.
// Tensors that are undefined or empty were not drawn.
struct MeanReplicates {
  double observed{};  // the mean that is printed
  // The same mean by the arithmetic of the replicates: `observed` where that is
  // exact. Replicates are published with the difference added.
  double replicate{};
  at::Tensor bootstrap = {};
  at::Tensor random_router = {};
  at::Tensor permutation = {};
  at::Tensor random_weights = {};
};

// Adds what the replicates say to `result`, all float64:
//   {quantity}/se [], {quantity}/interval [2], {quantity}/bootstrap_draws [n]
//                                                        from the bootstrap
//   {quantity}/null_mean [], /null_std [], /p []         random-router null
//   {quantity}/permutation_null_mean [], /permutation_null_std [],
//   /permutation_p []                                    permutation null
//   {quantity}/random_weights_null_mean [] and so on     random-weight null
// and, with `keep_draws`, {quantity}/null_draws, /permutation_null_draws and
// /random_weights_null_draws, each [n]. The bootstrap's are always there, so
// that whoever compares two means can pair them. `probe` is the group they
// belong to.
void AddSignificance(const std::string& quantity, const std::string& probe,
                     const MeanReplicates& mean, bool keep_draws,
                     ProbeResult& result);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_SIGNIFICANCE_ARRAYS_H_

#ifndef MOEPROBE_CORE_SIGNIFICANCE_BOOTSTRAP_COUNTS_H_
#define MOEPROBE_CORE_SIGNIFICANCE_BOOTSTRAP_COUNTS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Returns how often each of `groups` groups is in each bootstrap sample of as
// many (Efron & Tibshirani, An Introduction to the Bootstrap, 1993): [draws,
// groups] float64, whole numbers whose rows sum to `groups`. A row depends on
// `groups`, `seed` and its own index alone, so analyses with the same groups
// and seed resample the same windows.
at::Tensor BootstrapCounts(int64_t groups, int64_t draws, int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_SIGNIFICANCE_BOOTSTRAP_COUNTS_H_

#ifndef MOEPROBE_CORE_SIGNIFICANCE_REPLICATE_SUMMARY_H_
#define MOEPROBE_CORE_SIGNIFICANCE_REPLICATE_SUMMARY_H_

#include <ATen/core/Tensor.h>

namespace moeprobe {

// What replicates of a number say about it. In all of these `draws` is [n]
// float64; draws that are NaN (no two experts had a subspace, say) do not
// count, and where too few are left the result is NaN.

// Two ends of an interval.
struct Interval {
  double low{};
  double high{};
};

double MeanOfDraws(const at::Tensor& draws);

// With n - 1 in the denominator.
double DeviationOfDraws(const at::Tensor& draws);

// Returns the 95 % interval of the bootstrap around `observed`:
//   observed + [2.5 % quantile, 97.5 % quantile] of (draw - mean draw).
//
// Centred, because a sample drawn with replacement holds fewer distinct windows
// than the data: what grows with the sample, such as effective rank, is smaller
// in every draw. That shift is the draws', not the estimate's; what they know
// is how far it spreads.
Interval BootstrapInterval(double observed, const at::Tensor& draws);

// Returns (1 + #{draw >= observed}) / (1 + draws): the chance of at least
// `observed` under the null hypothesis that `draws` come from.
double PValue(double observed, const at::Tensor& draws);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_SIGNIFICANCE_REPLICATE_SUMMARY_H_

#ifndef MOEPROBE_CORE_PROBE_PROJECTED_TOKENS_H_
#define MOEPROBE_CORE_PROBE_PROJECTED_TOKENS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace moeprobe {

// Hidden states in few coordinates, in which hundreds of PCAs are cheap: with
// mu the mean and P [d, m] the leading directions of the tokens that count,
//   h_t = mu + P y_t + rest.
// Where m = d there is no rest and nothing is approximate.
struct ProjectedTokens {
  at::Tensor coordinates;  // [T, m + 1] float32: y_t, and a last column of ones
  at::Tensor mean;         // [m] float64: P'mu
  at::Tensor rest;         // [T] float64: squared norm of the rest
};

// Projects `h` [T, d] float32 onto `dimensions` <= d directions. `counted` [T]
// bool: tokens that count.
ProjectedTokens ProjectTokens(const at::Tensor& h, const at::Tensor& counted,
                              int64_t dimensions);

// Sums over tokens that r weighted PCAs need. With weights w_t of squares and
// b_t of the mean, and z_t = (y_t, 1):
struct Moments {
  at::Tensor second;  // [r, m + 1, m + 1] float64: sum w z z'
  at::Tensor first;   // [r, m + 1] float64: sum b z
  at::Tensor rest;    // [r] float64: sum w |rest|^2
  at::Tensor rows;    // [r] float64: how many tokens
};

// Returns the sums over `index` [n] int64, with r = 1. `weight`, `mean_weight`
// [n] float32.
Moments MomentsOf(const ProjectedTokens& tokens, const at::Tensor& index,
                  const at::Tensor& weight, const at::Tensor& mean_weight);

// Puts sums with the same m one after the other.
Moments Concatenate(const std::vector<Moments>& parts);

// Returns, for each row of `counts` [s, r] float64, the sum of the r moments
// taken so often.
Moments Combine(const Moments& moments, const at::Tensor& counts);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_PROJECTED_TOKENS_H_

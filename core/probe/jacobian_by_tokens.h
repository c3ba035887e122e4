#ifndef MOEPROBE_CORE_PROBE_JACOBIAN_BY_TOKENS_H_
#define MOEPROBE_CORE_PROBE_JACOBIAN_BY_TOKENS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/model/mlp_activation.h"
#include "core/probe/probe_result.h"

namespace moeprobe {

// Widths up to which averages by tokens are compared exactly.
inline constexpr int64_t kMostExactByTokens = 128;

// Whose doing it is that routed Jacobians differ, the experts' or their
// tokens': J_et is the Jacobian of expert e averaged over the tokens routed to
// expert t, and with M the mean of all, M_e and M_t the means for one expert
// and for one expert's tokens,
//   sum |J_et - M|^2 = sum |M_e - M|^2 + sum |M_t - M|^2 + what is left.
// The three terms as shares of the left side:
//   jacobian_variance_shares [3]        of experts, of tokens, of both together
//   jacobian_variance_shares/error [3]  standard errors
//   jacobian_by_tokens/cosine_same_expert [E]  mean over pairs t, t' of
//                                              cos(J_et, J_et')
//   jacobian_by_tokens/cosine_same_tokens [E]  mean over pairs e, e' of
//                                              cos(J_et, J_e't)
// Noise that few tokens leave in an average counts as the tokens' or as of
// both.
//
// In place of d x d matrices their products with random directions are
// compared; up to kMostExactByTokens wide with all unit vectors, and the error
// is 0. Tokens of an expert that has none are left out, with a warning.
//
// For each expert in order: its tensors and its sums over the tokens routed to
// each, [E, f]. `token_counts` [E] float64. `seed`: of the directions.
ProbeResult JacobianByTokens(const std::vector<const MlpTensors*>& experts,
                             const std::vector<ActivationTerms>& sums,
                             const at::Tensor& token_counts, int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_JACOBIAN_BY_TOKENS_H_

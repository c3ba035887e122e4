#ifndef MOEPROBE_CORE_PLAN_USEFUL_WORK_H_
#define MOEPROBE_CORE_PLAN_USEFUL_WORK_H_

#include <cstdint>
#include <vector>

#include "core/checkpoint/model_config.h"

namespace moeprobe {

// Floating point operations that the definitions call for, by what they are
// computed in. A product of [m, k] and [k, n] is 2 m n k; where the result is
// symmetric or masked only the half that is needed counts. Norms, activations,
// softmaxes and conversions are not counted: they are overhead.
struct UsefulWork {
  double forward = 0;  // in the type of the forward pass
  double float32 = 0;
  double float64 = 0;
  double eigen = 0;  // symmetric eigenproblems in float64

  UsefulWork& operator+=(const UsefulWork& other);
};

// How many tokens, and in windows of how many.
struct TokenCounts {
  int64_t tokens = 0;           // T
  int64_t sequence_length = 0;  // S
};

// What is needed of a layer's experts in the forward pass.
enum class ExpertPart : std::uint8_t { kNothing, kPreActivations, kOutput };

// Attention and, for a token, its k experts and the shared one.
UsefulWork ForwardWork(const ModelConfig& model, const LayerConfig& layer,
                       TokenCounts counts,
                       ExpertPart part = ExpertPart::kOutput);

// What averaged Jacobians take beside the forward pass: for each of
// `weighting_count` weightings and each expert the product W_down (...), and
// the inner products of all pairs. With `all_tokens` also the pre-activations
// of every expert for the tokens that are not routed to it.
UsefulWork JacobianWork(const ModelConfig& model, const LayerConfig& layer,
                        TokenCounts counts, int64_t weighting_count,
                        bool all_tokens);

// What PCAs of so many tokens each take: the smaller of covariance and Gram
// matrix, and its eigenproblem.
UsefulWork PcaWork(int64_t width, const std::vector<int64_t>& token_counts);

// What singular values of each expert's Jacobians at so many tokens take, with
// about 150 vectors a token: the cheaper of Jacobians that are built, and of
// products with the weights beside the matrix behind squared norms. Where
// min(d, f) is at most 384 the Jacobians and their eigenproblems in float64.
UsefulWork SpectraWork(const ModelConfig& model, const LayerConfig& layer,
                       int64_t tokens_per_expert);

// What the router term takes at so many tokens: products of up to 512
// directions with each expert's matrices, and with each Jacobian of a token.
UsefulWork RouterTermWork(const ModelConfig& model, const LayerConfig& layer,
                          int64_t tokens);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PLAN_USEFUL_WORK_H_

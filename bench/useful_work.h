#ifndef MOEPROBE_BENCH_USEFUL_WORK_H_
#define MOEPROBE_BENCH_USEFUL_WORK_H_

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

  UsefulWork& operator+=(const UsefulWork& other);
};

// How many tokens, and in windows of how many.
struct TokenCounts {
  int64_t tokens = 0;           // T
  int64_t sequence_length = 0;  // S
};

// Attention and, for a token, its k experts and the shared one.
UsefulWork ForwardWork(const ModelConfig& model, const LayerConfig& layer,
                       TokenCounts counts);

// What averaged Jacobians take beside the forward pass: for each of
// `weighting_count` weightings and each expert the product W_down (...), and
// the inner products of all pairs. With `all_tokens` also the pre-activations
// of every expert for the tokens that are not routed to it.
UsefulWork JacobianWork(const ModelConfig& model, const LayerConfig& layer,
                        TokenCounts counts, int64_t weighting_count,
                        bool all_tokens);

// What PCA takes: of each expert's routed tokens, and of all tokens. The
// smaller of covariance and Gram matrix, and its eigenproblem.
UsefulWork PcaWork(int64_t width, const std::vector<int64_t>& routed_counts,
                   int64_t token_count);

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_USEFUL_WORK_H_

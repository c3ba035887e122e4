#ifndef MOEPROBE_CORE_MODEL_GATED_ACTIVATION_H_
#define MOEPROBE_CORE_MODEL_GATED_ACTIVATION_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Weighted sums over tokens of what a gated expert f(x) = W_down [silu(g) * u],
// g = W_gate x, u = W_up x, contributes to its averaged Jacobian (SPEC: closed
// form), for several weightings at once and for each group of tokens apart.
struct ActivationSums {
  at::Tensor slope;  // [groups, weightings, f] float64: sum of w silu'(g) u
  at::Tensor value;  // [groups, weightings, f] float64: sum of w silu(g)
};

// Returns sums of zero.
ActivationSums ZeroActivationSums(int64_t groups, int64_t weightings,
                                  int64_t width);

// How the tokens of a block count in sums.
struct TokenWeights {
  at::Tensor weights;  // [weightings, n] float32
  at::Tensor groups;   // [n] int64: the group a token belongs to
};

// Computes silu(gate) * up for some tokens of a block and adds the whole block
// to `sums`, reading each pre-activation once.
//
// `gate`, `up` [n, f]: pre-activations, both float32 or both bfloat16.
// `rows` [n] int64: the row of `output` a token goes to, or -1 for none.
// `output` [m, f], of the type of `gate`; written in place.
// `tokens` and `sums`: the latter null, and the former not looked at, if no
// sums are wanted.
//
// Each column is summed by one thread, in the order of the tokens: float32 over
// at most 256 tokens in a row of the same group, float64 over those. So the
// number of threads does not change a bit.
void ApplyGatedActivation(const at::Tensor& gate, const at::Tensor& up,
                          const at::Tensor& rows, const at::Tensor& output,
                          const TokenWeights& tokens, ActivationSums* sums);

// What single tokens contribute to such sums, [n, columns] float32 each.
struct ActivationTerms {
  at::Tensor slope;  // silu'(g) u
  at::Tensor value;  // silu(g)
};

// Returns the terms of the columns `begin` to `end` of a block's
// pre-activations: for sums of more weightings than a pass over them can take,
// which are products of matrices then.
ActivationTerms TermsOf(const at::Tensor& gate, const at::Tensor& up,
                        int64_t begin, int64_t end);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_GATED_ACTIVATION_H_

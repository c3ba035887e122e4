#ifndef MOEPROBE_CORE_MODEL_MLP_ACTIVATION_H_
#define MOEPROBE_CORE_MODEL_MLP_ACTIVATION_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace moeprobe {

// Weighted sums over tokens of what an expert contributes to its averaged
// Jacobian (SPEC: closed form), for several weightings at once and for each
// group of tokens apart. With g = W_gate x + b_gate and u = W_up x:
//   gated, f(x) = W_down [silu(g) * u]
//     slope: sum of w silu'(g) u, value: sum of w silu(g)
//   of two layers, f(x) = W_down gelu(g) + b_down
//     slope: sum of w gelu'(g), value: nothing, of no width
struct ActivationSums {
  at::Tensor slope;  // [groups, weightings, f] float64
  at::Tensor value;  // [groups, weightings, f or 0] float64
};

// The widths of such sums.
struct ActivationWidths {
  int64_t slope = 0;  // f
  int64_t value = 0;  // f in a gated MLP, 0 in one of two layers
};

// Returns sums of zero.
ActivationSums ZeroActivationSums(int64_t groups, int64_t weightings,
                                  const ActivationWidths& widths);

// How the tokens of a block count in sums.
struct TokenWeights {
  at::Tensor weights;  // [weightings, n] float32
  at::Tensor groups;   // [n] int64: the group a token belongs to
};

// Computes silu(gate) * up, or gelu(gate) where there is no `up`, for some
// tokens of a block and adds the whole block to `sums`, reading each
// pre-activation once. gelu(z) = z Phi(z) with the normal distribution function
// Phi to 1e-7.
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
void ApplyActivation(const at::Tensor& gate,
                     const std::optional<at::Tensor>& up,
                     const at::Tensor& rows, const at::Tensor& output,
                     const TokenWeights& tokens, ActivationSums* sums);

// What single tokens contribute to such sums, float32.
struct ActivationTerms {
  at::Tensor slope;  // [n, columns]: silu'(g) u or gelu'(g)
  at::Tensor value;  // [n, columns or 0]: silu(g)
};

// Returns the terms of the columns `begin` to `end` of a block's
// pre-activations: for sums of more weightings than a pass over them can take,
// which are products of matrices then.
ActivationTerms TermsOf(const at::Tensor& gate,
                        const std::optional<at::Tensor>& up, int64_t begin,
                        int64_t end);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_MLP_ACTIVATION_H_

#ifndef MOEPROBE_CORE_MODEL_GATED_ACTIVATION_H_
#define MOEPROBE_CORE_MODEL_GATED_ACTIVATION_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Weighted sums over tokens of what a gated expert f(x) = W_down [silu(g) * u],
// g = W_gate x, u = W_up x, contributes to its averaged Jacobian (SPEC: closed
// form), for several weightings at once.
struct ActivationSums {
  at::Tensor slope;  // [weightings, f] float64: sum of w silu'(g) u
  at::Tensor value;  // [weightings, f] float64: sum of w silu(g)
};

// Returns sums of zero.
ActivationSums ZeroActivationSums(int64_t weightings, int64_t width);

// Computes silu(gate) * up for some tokens of a block and adds the whole block
// to `sums`, reading each pre-activation once.
//
// `gate`, `up` [n, f]: pre-activations, both float32 or both bfloat16.
// `rows` [n] int64: the row of `output` a token goes to, or -1 for none.
// `output` [m, f], of the type of `gate`; written in place.
// `weights` [weightings, n] float32. `sums`: null if not wanted.
//
// Each column is summed by one thread, in the order of the tokens: float32 over
// at most 256 tokens, float64 over those. So the number of threads does not
// change a bit.
void ApplyGatedActivation(const at::Tensor& gate, const at::Tensor& up,
                          const at::Tensor& rows, const at::Tensor& output,
                          const at::Tensor& weights, ActivationSums* sums);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_GATED_ACTIVATION_H_

#ifndef MOEPROBE_CORE_TRAIN_EXPERT_ACTIVATION_H_
#define MOEPROBE_CORE_TRAIN_EXPERT_ACTIVATION_H_

#include <ATen/core/Tensor.h>

namespace moeprobe {

// What the first products of some experts give: a row for each token and
// expert, experts fastest. All tensors here are float32 and contiguous.
struct PreActivations {
  at::Tensor gate = {};  // [rows, f]: W_gate x; undefined in two-layer experts
  at::Tensor up = {};    // [rows, f]: W_up x, or W_1 x
  // [experts, f]: b_1, of which row i takes row i mod experts; undefined in
  // gated experts.
  at::Tensor bias = {};
};

// Writes g gelu(up + bias), or g silu(gate) * up, to `p` [rows, f]: what the
// last product of an expert takes, weighted by the token's gate. `gates`
// [rows].
void ActivateRows(const PreActivations& pre_activations,
                  const at::Tensor& gates, const at::Tensor& p);

// Where ActivationGradients() writes to.
struct ActivationGradients {
  at::Tensor gate = {};  // [rows, f]: dL/d gate; undefined in two-layer experts
  at::Tensor up = {};    // [rows, f]: dL/d up
  at::Tensor p = {};     // [rows, f]: what ActivateRows computed, again
  at::Tensor gates = {};  // [rows]: dL/d gates
};

// Computes what the gradient `dp` [rows, f] of ActivateRows' result means for
// its arguments. A row does not depend on the number of threads.
void DifferentiateRows(const at::Tensor& dp,
                       const PreActivations& pre_activations,
                       const at::Tensor& gates,
                       const ActivationGradients& result);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_EXPERT_ACTIVATION_H_

#ifndef MOEPROBE_CORE_MODEL_MLP_H_
#define MOEPROBE_CORE_MODEL_MLP_H_

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <optional>

#include "core/checkpoint/checkpoint.h"
#include "core/model/mlp_activation.h"

namespace moeprobe {

// Sees what an expert makes of its tokens before they leave it, so that nothing
// is computed twice.
class ActivationObserver {
 public:
  virtual ~ActivationObserver() = default;

  // Some tokens in order, [n] int64, and their pre-activations W_gate x +
  // b_gate and, in a gated MLP, W_up x, [n, f] in the type of the forward pass.
  virtual void OnTokens(const at::Tensor& tokens, const at::Tensor& gate,
                        const std::optional<at::Tensor>& up) = 0;
};

// Which tokens an expert runs on, and how each of them counts in sums.
struct ExpertRun {
  at::Tensor tokens;  // [n] int64, ascending
  // [n] int64: row of the output a token goes to; -1: only its sums are wanted.
  at::Tensor rows = {};
  int64_t output_count = 0;                // rows of the output
  at::Tensor weights = {};                 // [weightings, n] float32
  at::Tensor groups = {};                  // [n] int64
  ActivationSums* sums = nullptr;          // where to add; null: nowhere
  ActivationObserver* observer = nullptr;  // null: none
};

// Weights of an MLP as MlpTensors has them, all of one type. Must not outlive
// the checkpoint.
struct MlpWeights {
  at::Tensor gate;                           // [f, d]
  std::optional<at::Tensor> up = {};         // [f, d]
  std::optional<at::Tensor> gate_bias = {};  // [f]
  std::optional<at::Tensor> down_bias = {};  // [d]
  at::Tensor down;                           // [d, f]
};

// Returns how wide the sums over an MLP's activations are.
ActivationWidths WidthsOf(const MlpTensors& tensors);

// Returns weights as `type`: used where they are mapped if they have it,
// converted copies otherwise.
MlpWeights WeightsAs(const MlpTensors& tensors, at::ScalarType type);

// An MLP, be it an expert, a shared expert or a dense one; see MlpTensors for
// f(x).
class Mlp {
 public:
  // With weights in the type of the forward pass.
  Mlp(const MlpTensors& tensors, at::ScalarType type);

  // Returns f(x) [run.output_count, d] float32 for the tokens that have an
  // output row. `x` [T, d] in the type of the forward pass.
  at::Tensor Run(const at::Tensor& x, const ExpertRun& run) const;

 private:
  MlpWeights weights_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_MLP_H_

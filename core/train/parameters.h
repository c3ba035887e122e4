#ifndef MOEPROBE_CORE_TRAIN_PARAMETERS_H_
#define MOEPROBE_CORE_TRAIN_PARAMETERS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/plan/decoder_shape.h"

namespace moeprobe {

// Weights of a layer's experts, stacked; a dense MLP is one expert. Tensors
// that a kind of expert lacks are undefined.
struct ExpertParameters {
  at::Tensor gate;       // [E, f, d]: W_gate of gated experts
  at::Tensor up;         // [E, f, d]: W_up, or W_1 of two-layer experts
  at::Tensor up_bias;    // [E, f]: b_1 of two-layer experts
  at::Tensor down;       // [E, f, d]: W_down or W_2, transposed
  at::Tensor down_bias;  // [E, d]: b_2 of two-layer experts
};

// Weights of one layer; no biases where experts are gated, and nothing but
// router and experts in an MLP.
struct LayerParameters {
  at::Tensor attention_norm, attention_norm_bias;  // [d]
  at::Tensor projections;              // [3 d, d]: query, key, value
  at::Tensor projection_bias;          // [3 d]
  at::Tensor output;                   // [d, d]
  at::Tensor output_bias;              // [d]
  at::Tensor mlp_norm, mlp_norm_bias;  // [d]
  at::Tensor router;                   // [E, d]; undefined in a dense model
  at::Tensor router_bias;              // [E]
  ExpertParameters experts;
};

// All weights of a model, float32. Of an MLP: one layer and the head.
struct ModelParameters {
  // [N, d]: what an MLP learns from, which is stored with it. Data, no weight;
  // undefined in a decoder.
  at::Tensor examples;
  at::Tensor embedding;  // [V, d]
  at::Tensor positions;  // [context, d]; undefined where experts are gated
  std::vector<LayerParameters> layers;
  at::Tensor final_norm, final_norm_bias;  // [d]
  at::Tensor head;                         // [V, d], or [m, d] of an MLP
};

// What a parameter is to its initialisation.
enum class ParameterRole : std::uint8_t {
  kEmbedding,
  kMatrix,
  kBias,
  kNorm,  // factors
  kNormBias,
};

// One parameter of a model.
struct Parameter {
  at::Tensor tensor;  // shares its memory with the model's
  ParameterRole role = ParameterRole::kMatrix;
  int64_t inputs = 0;  // that each output sums over; of matrices and biases
  // The same number for the same weight in any variant of a model.
  int64_t number = 0;
};

// Returns uninitialised parameters of `shape`, which CheckShape accepts. They
// require gradients. Examples are left undefined.
ModelParameters AllocateParameters(const DecoderShape& shape);

// Returns every parameter once, in a fixed order. Examples are none.
std::vector<Parameter> ListParameters(const ModelParameters& model);

// Returns the tensors of ListParameters.
std::vector<at::Tensor> ParameterTensors(const ModelParameters& model);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_PARAMETERS_H_

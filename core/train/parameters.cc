#include "core/train/parameters.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/checkpoint/model_config.h"
#include "core/plan/decoder_shape.h"

namespace moeprobe {
namespace {

at::Tensor NewParameter(at::IntArrayRef sizes) {
  return at::empty(sizes, at::kFloat).requires_grad_();
}

ExpertParameters AllocateExperts(const DecoderShape& shape) {
  const int64_t count = std::max<int64_t>(1, shape.experts);
  const int64_t d = shape.width, f = shape.expert_width;
  ExpertParameters experts;
  experts.up = NewParameter({count, f, d});
  experts.down = NewParameter({count, f, d});
  if (shape.expert == ExpertKind::kGatedMlp) {
    experts.gate = NewParameter({count, f, d});
  } else {
    experts.up_bias = NewParameter({count, f});
    experts.down_bias = NewParameter({count, d});
  }
  return experts;
}

// Attention and both norms.
void AllocateAttention(const DecoderShape& shape, LayerParameters& layer) {
  const int64_t d = shape.width;
  layer.attention_norm = NewParameter({d});
  layer.projections = NewParameter({3 * d, d});
  layer.output = NewParameter({d, d});
  layer.mlp_norm = NewParameter({d});
  if (shape.expert == ExpertKind::kGatedMlp) return;
  layer.attention_norm_bias = NewParameter({d});
  layer.projection_bias = NewParameter({3 * d});
  layer.output_bias = NewParameter({d});
  layer.mlp_norm_bias = NewParameter({d});
}

LayerParameters AllocateLayer(const DecoderShape& shape) {
  LayerParameters layer;
  if (!shape.is_mlp()) AllocateAttention(shape, layer);
  layer.experts = AllocateExperts(shape);
  if (shape.experts == 0) return layer;
  layer.router = NewParameter({shape.experts, shape.width});
  if (shape.expert == ExpertKind::kGeluMlp) {
    layer.router_bias = NewParameter({shape.experts});
  }
  return layer;
}

// Counts every weight a model may have, so that a number does not depend on
// which of them it has.
class Lister {
 public:
  void Add(const at::Tensor& tensor, ParameterRole role, int64_t inputs = 0) {
    const int64_t number = next_++;
    if (!tensor.defined()) return;
    list_.push_back(
        {.tensor = tensor, .role = role, .inputs = inputs, .number = number});
  }

  // A matrix [outputs, inputs], or a stack of them, and its bias.
  void AddLinear(const at::Tensor& matrix, const at::Tensor& bias) {
    const int64_t inputs = matrix.defined() ? matrix.size(-1) : 0;
    Add(matrix, ParameterRole::kMatrix, inputs);
    Add(bias, ParameterRole::kBias, inputs);
  }

  void AddNorm(const at::Tensor& factors, const at::Tensor& bias) {
    Add(factors, ParameterRole::kNorm);
    Add(bias, ParameterRole::kNormBias);
  }

  void AddExperts(const ExpertParameters& experts) {
    AddLinear(experts.gate, {});
    AddLinear(experts.up, experts.up_bias);
    const int64_t inputs = experts.down.size(1);  // transposed
    Add(experts.down, ParameterRole::kMatrix, inputs);
    Add(experts.down_bias, ParameterRole::kBias, inputs);
  }

  void AddLayer(const LayerParameters& layer) {
    AddNorm(layer.attention_norm, layer.attention_norm_bias);
    AddLinear(layer.projections, layer.projection_bias);
    AddLinear(layer.output, layer.output_bias);
    AddNorm(layer.mlp_norm, layer.mlp_norm_bias);
    AddLinear(layer.router, layer.router_bias);
    AddExperts(layer.experts);
  }

  std::vector<Parameter> Finish() { return std::move(list_); }

 private:
  int64_t next_ = 0;
  std::vector<Parameter> list_;
};

}  // namespace

ModelParameters AllocateParameters(const DecoderShape& shape) {
  ModelParameters model;
  for (int64_t layer = 0; layer < shape.layers; ++layer) {
    model.layers.push_back(AllocateLayer(shape));
  }
  if (shape.is_mlp()) {
    model.head = NewParameter({shape.outputs, shape.width});
    return model;
  }
  model.embedding = NewParameter({shape.vocabulary, shape.width});
  model.final_norm = NewParameter({shape.width});
  model.head = NewParameter({shape.vocabulary, shape.width});
  if (shape.expert == ExpertKind::kGeluMlp) {
    model.positions = NewParameter({shape.context, shape.width});
    model.final_norm_bias = NewParameter({shape.width});
  }
  return model;
}

std::vector<Parameter> ListParameters(const ModelParameters& model) {
  Lister lister;
  lister.Add(model.embedding, ParameterRole::kEmbedding);
  lister.Add(model.positions, ParameterRole::kEmbedding);
  lister.AddNorm(model.final_norm, model.final_norm_bias);
  lister.AddLinear(model.head, {});
  for (const LayerParameters& layer : model.layers) lister.AddLayer(layer);
  return lister.Finish();
}

std::vector<at::Tensor> ParameterTensors(const ModelParameters& model) {
  std::vector<Parameter> parameters = ListParameters(model);
  std::vector<at::Tensor> tensors;
  tensors.reserve(parameters.size());
  for (Parameter& parameter : parameters) {
    tensors.push_back(std::move(parameter.tensor));
  }
  return tensors;
}

}  // namespace moeprobe

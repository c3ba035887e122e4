#include "core/train/decoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <cstdint>
#include <vector>

#include "core/checkpoint/model_config.h"
#include "core/model/rms_norm.h"
#include "core/model/rotary_embedding.h"
#include "core/model/routing_rule.h"
#include "core/plan/decoder_shape.h"
#include "core/train/expert_block.h"
#include "core/train/parameters.h"
#include "core/train/token_gates.h"

namespace moeprobe {

Decoder::Decoder(const DecoderShape& shape, const RoutingRule& rule)
    : shape_(shape), rule_(rule) {}

DecoderOutput Decoder::Forward(const ModelParameters& model,
                               const at::Tensor& ids) const {
  const int64_t length = ids.size(1);
  DecoderOutput output;
  at::Tensor x = at::embedding(model.embedding, ids);  // [batch, length, d]
  if (model.positions.defined()) {
    x = x + model.positions.slice(0, 0, length);
  }
  for (const LayerParameters& layer : model.layers) {
    x = x +
        Attend(Norm(x, layer.attention_norm, layer.attention_norm_bias), layer);
    const at::Tensor h = Norm(x, layer.mlp_norm, layer.mlp_norm_bias);
    x = x + RunExpertBlock(h.flatten(0, 1), layer, rule_, output.routing)
                .view_as(x);
  }
  const at::Tensor last = Norm(x, model.final_norm, model.final_norm_bias);
  output.logits = at::linear(last.flatten(0, 1), model.head);
  return output;
}

at::Tensor Decoder::Norm(const at::Tensor& x, const at::Tensor& factors,
                         const at::Tensor& bias) const {
  if (shape_.expert == ExpertKind::kGatedMlp) {
    return RmsNorm(x, factors, kNormEpsilon);
  }
  return at::layer_norm(x, {shape_.width}, factors, bias, kNormEpsilon);
}

at::Tensor Decoder::Attend(const at::Tensor& x,
                           const LayerParameters& layer) const {
  const int64_t batch = x.size(0), length = x.size(1);
  const int64_t head_width = shape_.width / shape_.heads;
  const std::vector<at::Tensor> projected =
      at::linear(x, layer.projections, layer.projection_bias)
          .view({batch, length, 3, shape_.heads, head_width})
          .permute({2, 0, 3, 1, 4})  // [3, batch, heads, length, head_width]
          .unbind();
  at::Tensor query = projected[0], key = projected[1];
  if (shape_.expert == ExpertKind::kGatedMlp) {
    const RotaryEmbedding rotary(length, head_width, kRopeTheta);
    query = rotary.Rotate(query);
    key = rotary.Rotate(key);
  }
  const at::Tensor mixed = at::scaled_dot_product_attention(
      query, key, projected[2], /*attn_mask=*/{}, /*dropout_p=*/0.0,
      /*is_causal=*/true);
  return at::linear(mixed.transpose(1, 2).reshape({batch, length, -1}),
                    layer.output, layer.output_bias);
}

}  // namespace moeprobe

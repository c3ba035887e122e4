#include "core/model/attention.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <optional>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/rms_norm.h"
#include "core/model/rotary_embedding.h"
#include "core/model/weight.h"

namespace moeprobe {
namespace {

// True where position i may look at position j: i - window < j <= i.
std::optional<at::Tensor> SlidingMask(std::optional<int64_t> window,
                                      int64_t sequence_length) {
  if (!window.has_value() || *window >= sequence_length) return std::nullopt;
  return at::ones({sequence_length, sequence_length}, at::kBool)
      .tril()
      .triu(1 - *window);
}

std::optional<RotaryEmbedding> RotaryOf(const AttentionConfig& attention,
                                        int64_t sequence_length) {
  if (!attention.rope_theta) return std::nullopt;
  return RotaryEmbedding(sequence_length, attention.head_width,
                         *attention.rope_theta);
}

}  // namespace

Attention::Attention(const ModelConfig& config, const LayerConfig& layer,
                     const AttentionTensors& tensors, int64_t sequence_length,
                     at::ScalarType type)
    : config_(config.attention),
      norm_epsilon_(config.norm_epsilon),
      type_(type),
      query_{.weight = Weight(tensors.query, type),
             .bias = OptionalWeight(tensors.query_bias, type)},
      key_{.weight = Weight(tensors.key, type),
           .bias = OptionalWeight(tensors.key_bias, type)},
      value_{.weight = Weight(tensors.value, type),
             .bias = OptionalWeight(tensors.value_bias, type)},
      output_{.weight = Weight(tensors.output, type),
              .bias = OptionalWeight(tensors.output_bias, type)},
      query_norm_(OptionalWeight(tensors.query_norm, at::kFloat)),
      key_norm_(OptionalWeight(tensors.key_norm, at::kFloat)),
      rotary_(RotaryOf(config.attention, sequence_length)),
      mask_(SlidingMask(layer.sliding_window, sequence_length)) {}

at::Tensor Attention::Project(const at::Tensor& x,
                              const Projection& projection) {
  return at::linear(x, projection.weight, projection.bias);
}

at::Tensor Attention::SplitHeads(const at::Tensor& x,
                                 int64_t head_count) const {
  return x.view({x.size(0), x.size(1), head_count, config_.head_width})
      .transpose(1, 2);  // [windows, heads, S, head_width]
}

at::Tensor Attention::NormaliseAndRotate(
    const at::Tensor& x, int64_t head_count,
    const std::optional<at::Tensor>& norm) const {
  at::Tensor y = x;
  if (norm && config_.query_key_norm == QueryKeyNorm::kWholeProjection) {
    y = RmsNorm(y, *norm, norm_epsilon_);
  }
  if (config_.clip) y = y.clamp(-*config_.clip, *config_.clip);
  y = SplitHeads(y, head_count);
  if (norm && config_.query_key_norm == QueryKeyNorm::kPerHead) {
    y = RmsNorm(y, *norm, norm_epsilon_);
  }
  return rotary_ ? rotary_->Rotate(y).to(type_) : y;
}

at::Tensor Attention::Forward(const at::Tensor& x) const {
  const int64_t group = config_.head_count / config_.key_value_head_count;
  const at::Tensor query =
      NormaliseAndRotate(Project(x, query_), config_.head_count, query_norm_);
  const at::Tensor key = NormaliseAndRotate(
      Project(x, key_), config_.key_value_head_count, key_norm_);
  at::Tensor value = Project(x, value_);
  if (config_.clip) value = value.clamp(-*config_.clip, *config_.clip);
  value = SplitHeads(value, config_.key_value_head_count);

  // Each key and value head serves `group` query heads.
  const at::Tensor mixed = at::scaled_dot_product_attention(
      query, key.repeat_interleave(group, 1), value.repeat_interleave(group, 1),
      mask_, /*dropout_p=*/0.0, /*is_causal=*/!mask_.has_value());
  const at::Tensor joined =
      mixed.transpose(1, 2).reshape({x.size(0), x.size(1), -1});
  return Project(joined, output_);
}

}  // namespace moeprobe

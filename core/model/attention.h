#ifndef MOEPROBE_CORE_MODEL_ATTENTION_H_
#define MOEPROBE_CORE_MODEL_ATTENTION_H_

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <optional>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/model/rotary_embedding.h"

namespace moeprobe {

// Causal grouped-query self-attention of one decoder layer, with its weights at
// hand in the type of the forward pass.
class Attention {
 public:
  // `type`: float32 or bfloat16. The checkpoint behind `tensors` must outlive
  // the object.
  Attention(const ModelConfig& config, const LayerConfig& layer,
            const AttentionTensors& tensors, int64_t sequence_length,
            at::ScalarType type);

  // Returns the attention output [windows, S, d] for normalised hidden states
  // `x` [windows, S, d] in the type of the forward pass.
  at::Tensor Forward(const at::Tensor& x) const;

 private:
  struct Projection {
    at::Tensor weight;  // [out, d]
    std::optional<at::Tensor> bias;
  };

  static at::Tensor Project(const at::Tensor& x, const Projection& projection);
  at::Tensor SplitHeads(const at::Tensor& x, int64_t head_count) const;
  at::Tensor NormaliseAndRotate(const at::Tensor& x, int64_t head_count,
                                const std::optional<at::Tensor>& norm) const;

  AttentionConfig config_;
  double norm_epsilon_;
  at::ScalarType type_;
  Projection query_, key_, value_, output_;
  std::optional<at::Tensor> query_norm_, key_norm_;
  std::optional<RotaryEmbedding> rotary_;
  std::optional<at::Tensor> mask_;  // [S, S] bool; only where a window slides
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_ATTENTION_H_

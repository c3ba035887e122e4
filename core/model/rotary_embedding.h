#ifndef MOEPROBE_CORE_MODEL_ROTARY_EMBEDDING_H_
#define MOEPROBE_CORE_MODEL_ROTARY_EMBEDDING_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Rotary position embedding (Su et al., RoFormer, 2021) in the half-split
// layout of Llama: dimension i is rotated with dimension i + head_width / 2.
class RotaryEmbedding {
 public:
  // For positions 0 to `sequence_length` - 1.
  RotaryEmbedding(int64_t sequence_length, int64_t head_width, double theta);

  // Returns `x` [..., sequence_length, head_width] rotated, float32.
  at::Tensor Rotate(const at::Tensor& x) const;

 private:
  at::Tensor cosine_;  // [sequence_length, head_width / 2]
  at::Tensor sine_;    // [sequence_length, head_width / 2]
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_ROTARY_EMBEDDING_H_

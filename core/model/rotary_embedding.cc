#include "core/model/rotary_embedding.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pow.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

namespace moeprobe {

RotaryEmbedding::RotaryEmbedding(int64_t sequence_length, int64_t head_width,
                                 double theta) {
  // In float32 throughout, as transformers computes them: the angles of far
  // positions depend on the rounding of the frequencies.
  const at::Tensor exponent = at::arange(0, head_width, 2, at::kFloat) /
                              static_cast<double>(head_width);
  const at::Tensor frequency = at::pow(theta, exponent).reciprocal();
  const at::Tensor angle =
      at::outer(at::arange(sequence_length, at::kFloat), frequency);
  cosine_ = angle.cos();
  sine_ = angle.sin();
}

at::Tensor RotaryEmbedding::Rotate(const at::Tensor& x) const {
  const int64_t half = cosine_.size(1);
  const at::Tensor a = x.slice(-1, 0, half);
  const at::Tensor b = x.slice(-1, half);
  return at::cat({a * cosine_ - b * sine_, b * cosine_ + a * sine_}, -1);
}

}  // namespace moeprobe

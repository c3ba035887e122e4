#include "core/probe/gram_cosines.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace moeprobe {
namespace {

// g_ii, NaN where not positive, [..., E].
at::Tensor SquaredNorms(const at::Tensor& gram) {
  const at::Tensor diagonal = gram.diagonal(0, -2, -1);
  return diagonal.masked_fill(diagonal.le(0),
                              std::numeric_limits<double>::quiet_NaN());
}

// sqrt(g_ii g_jj), [..., E, E].
at::Tensor NormProducts(const at::Tensor& squares) {
  const at::Tensor norms = squares.sqrt();
  return norms.unsqueeze(-1) * norms.unsqueeze(-2);
}

}  // namespace

at::Tensor CosinesOf(const at::Tensor& gram) {
  const at::Tensor squares = SquaredNorms(gram);
  at::Tensor cosines = gram / NormProducts(squares);
  cosines.diagonal(0, -2, -1).copy_(squares / squares);
  return cosines;
}

at::Tensor CosineChanges(const at::Tensor& gram, const at::Tensor& terms) {
  const at::Tensor squares = SquaredNorms(gram);
  const at::Tensor relative = terms.diagonal(0, -2, -1) / squares;  // [m,...,E]
  const at::Tensor scale =
      (relative.unsqueeze(-1) + relative.unsqueeze(-2)).mul_(0.5);
  return (terms / NormProducts(squares)).sub_(scale.mul_(CosinesOf(gram)));
}

at::Tensor ErrorOfDirections(const at::Tensor& changes, int64_t width) {
  const int64_t count = changes.size(0);
  if (count == width) return at::zeros_like(changes[0]);
  const auto m = static_cast<double>(count);
  return changes.std(0) * std::sqrt((1 - m / static_cast<double>(width)) / m);
}

}  // namespace moeprobe

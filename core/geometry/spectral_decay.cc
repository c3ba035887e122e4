#include "core/geometry/spectral_decay.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/where.h>
#include <c10/core/ScalarType.h>

#include <limits>

#include "core/geometry/leading_singular_values.h"

namespace moeprobe {

at::Tensor SpectralDecay(const at::Tensor& values) {
  const at::Tensor first = values.select(1, 0);  // [n]
  const at::Tensor last = values.select(1, -1);  // [n]
  const at::Tensor nan =
      at::full_like(first, std::numeric_limits<double>::quiet_NaN());
  if (values.size(1) == 1) return nan;
  const at::Tensor rank = at::arange(1, values.size(1) + 1, at::kDouble).log();
  const at::Tensor centred = rank - rank.mean();  // [r]
  const at::Tensor decay = -values.log().mv(centred) / centred.dot(centred);
  return at::where(last > first * kSmallestSingularRatio, decay, nan);
}

}  // namespace moeprobe

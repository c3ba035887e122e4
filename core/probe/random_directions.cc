#include "core/probe/random_directions.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/randn.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

namespace moeprobe {

at::Tensor RandomDirections(int64_t width, int64_t most_exact, int64_t count,
                            int64_t seed) {
  if (width <= most_exact) return at::eye(width, at::kDouble);
  const at::Tensor gaussian =
      at::randn({width, count},
                at::detail::createCPUGenerator(static_cast<uint64_t>(seed)));
  return std::get<0>(at::linalg_qr(gaussian)).t().contiguous();
}

}  // namespace moeprobe

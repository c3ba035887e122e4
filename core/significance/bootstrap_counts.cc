#include "core/significance/bootstrap_counts.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "core/base/random_stream.h"
#include "core/significance/draw_stream.h"

namespace moeprobe {

at::Tensor BootstrapCounts(int64_t groups, int64_t draws, int64_t seed) {
  at::Tensor counts = at::zeros({draws, groups}, at::kDouble);
  auto* row = counts.mutable_data_ptr<double>();
  for (int64_t draw = 0; draw < draws; ++draw, row += groups) {
    RandomStream random = DrawStream(seed, DrawKind::kBootstrap, draw);
    for (int64_t i = 0; i < groups; ++i) {
      row[random.Below(static_cast<uint64_t>(groups))] += 1;
    }
  }
  return counts;
}

}  // namespace moeprobe

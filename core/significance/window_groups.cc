#include "core/significance/window_groups.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>

namespace moeprobe {
namespace {

// Enough for percentiles to be smooth, few enough for a sum of each to be kept.
constexpr int64_t kMaxGroups = 64;

}  // namespace

WindowGroups GroupWindows(int64_t token_count, int64_t sequence_length) {
  const int64_t count = std::min(token_count / sequence_length, kMaxGroups);
  return {.count = count,
          .of_token = at::arange(token_count, at::kLong)
                          .div(sequence_length, "floor")
                          .remainder(count)};
}

}  // namespace moeprobe

#include "core/probe/expert_spread.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

at::Tensor SpreadOverExperts(const at::Tensor& values,
                             const std::vector<int64_t>& experts,
                             int64_t count) {
  const at::Tensor where = at::tensor(experts, at::kLong);
  std::vector<int64_t> shape(static_cast<size_t>(values.dim()), count);
  const at::Tensor result = at::full(shape, kNaN, at::kDouble);
  if (values.dim() == 1) return result.index_copy(0, where, values);
  const at::Tensor rows = at::full({where.size(0), count}, kNaN, at::kDouble)
                              .index_copy(1, where, values);
  return result.index_copy(0, where, rows);
}

}  // namespace moeprobe

#include "core/geometry/leading_directions.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/randn.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstdint>
#include <tuple>

namespace moeprobe {
namespace {

constexpr uint64_t kSeed = 53;
constexpr int64_t kOversampling = 16;
constexpr int kPowerIterations = 2;

at::Tensor OrthonormalColumns(const at::Tensor& columns) {
  return std::get<0>(at::linalg_qr(columns.to(at::kDouble))).to(at::kFloat);
}

}  // namespace

at::Tensor LeadingDirections(const at::Tensor& rows, int64_t count) {
  const int64_t width = rows.size(1);
  if (count == width) return at::eye(width, at::kFloat);
  at::Tensor basis = OrthonormalColumns(
      at::randn({width, std::min(count + kOversampling, width)},
                at::detail::createCPUGenerator(kSeed)));
  for (int i = 0; i <= kPowerIterations; ++i) {
    basis = OrthonormalColumns(rows.t().mm(rows.mm(basis)));
  }
  // Of the space that was found, the directions with most of the rows.
  const at::Tensor inside = rows.mm(basis);
  const at::Tensor vectors = std::get<1>(
      at::linalg_eigh(inside.t().mm(inside).to(at::kDouble)));  // ascending
  return OrthonormalColumns(
      basis.to(at::kDouble)
          .mm(vectors.narrow(1, vectors.size(1) - count, count)));
}

}  // namespace moeprobe

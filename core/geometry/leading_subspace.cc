#include "core/geometry/leading_subspace.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_eigh.h>

#include <cstdint>
#include <optional>
#include <tuple>

#include "core/geometry/krylov_space.h"

namespace moeprobe {
namespace {

// More vectors than are asked for: they make the space converge faster.
constexpr int64_t kOversampling = 8;

// Beyond this part of all dimensions a full decomposition is as fast.
constexpr int64_t kLargestShare = 2;

LeadingSubspace FromFullDecomposition(const at::Tensor& matrix, int64_t count) {
  const auto [values, vectors] = at::linalg_eigh(matrix);
  const int64_t begin = matrix.size(0) - count;
  return {.basis = vectors.narrow(1, begin, count).flip(1),
          .energy = (values.narrow(0, begin, count).sum() / matrix.trace())
                        .item<double>()};
}

std::optional<LeadingSubspace> FromKrylovSpace(const at::Tensor& matrix,
                                               int64_t count) {
  const int64_t block = count + kOversampling;
  const int64_t blocks = matrix.size(0) / kLargestShare / block;
  if (blocks < 2) return std::nullopt;
  KrylovSpace space(matrix, block, blocks * block);
  space.Grow();
  while (space.CanGrow()) {
    space.Grow();
    const RitzVectors found = space.Leading(count);
    const at::Tensor values =  // Ritz values, [count]
        (found.vectors.mm(matrix) * found.vectors).sum(1);
    const double residual =
        found.largest_residual / values.max().item<double>();
    if (residual > kSubspaceTolerance) continue;
    return LeadingSubspace{
        .basis = found.vectors.t(),
        .energy = (values.sum() / matrix.trace()).item<double>(),
        .residual = residual};
  }
  return std::nullopt;
}

}  // namespace

LeadingSubspace FindLeadingSubspace(const at::Tensor& matrix, int64_t count) {
  std::optional<LeadingSubspace> found;
  if (matrix.size(0) > kMostDecomposedWidth) {
    found = FromKrylovSpace(matrix, count);
  }
  return found ? *found : FromFullDecomposition(matrix, count);
}

}  // namespace moeprobe

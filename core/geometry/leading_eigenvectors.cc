#include "core/geometry/leading_eigenvectors.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_eigh.h>

#include <cstdint>
#include <optional>

#include "core/geometry/krylov_space.h"

namespace moeprobe {
namespace {

constexpr double kTolerance = 1e-12;  // of a residual, relative to lambda_1

// More vectors than are asked for: they make the space converge faster.
constexpr int64_t kOversampling = 3;

// A small eigenproblem in between costs more than one more block.
constexpr int64_t kBlocksPerCheck = 4;

// Beyond this part of all dimensions a full decomposition is as fast.
constexpr int64_t kLargestShare = 4;

// Below, not worth the trouble.
constexpr int64_t kFewestBlocks = 12;

at::Tensor FromFullDecomposition(const at::Tensor& matrix, int64_t count) {
  const at::Tensor vectors = std::get<1>(at::linalg_eigh(matrix));
  return vectors.narrow(1, vectors.size(1) - count, count).flip(1);
}

// Whether the rows of `vectors` belong to the largest eigenvalues.
bool AreLeading(const at::Tensor& matrix, const at::Tensor& eigenvalues,
                const at::Tensor& vectors) {
  const at::Tensor leading = eigenvalues.narrow(0, 0, vectors.size(0));
  const at::Tensor residual =
      vectors.mm(matrix) - vectors * leading.unsqueeze(1);
  return residual.norm(2, 1).max().item<double>() <=
         2 * kTolerance * leading[0].item<double>();
}

std::optional<at::Tensor> FromKrylovSpace(const at::Tensor& matrix,
                                          const at::Tensor& eigenvalues,
                                          int64_t count) {
  const int64_t block = count + kOversampling;
  const int64_t blocks = matrix.size(0) / kLargestShare / block;
  if (blocks < kFewestBlocks) return std::nullopt;
  const double tolerance = kTolerance * eigenvalues[0].item<double>();
  KrylovSpace space(matrix, block, blocks * block);
  while (space.CanGrow()) {
    for (int64_t b = 0; b < kBlocksPerCheck && space.CanGrow(); ++b) {
      space.Grow();
    }
    const RitzVectors found = space.Leading(count);
    if (found.largest_residual > tolerance) continue;
    if (!AreLeading(matrix, eigenvalues, found.vectors)) return std::nullopt;
    return found.vectors.t();
  }
  return std::nullopt;
}

}  // namespace

at::Tensor LeadingEigenvectors(const at::Tensor& matrix,
                               const at::Tensor& eigenvalues, int64_t count) {
  const std::optional<at::Tensor> found =
      FromKrylovSpace(matrix, eigenvalues, count);
  return found ? *found : FromFullDecomposition(matrix, count);
}

}  // namespace moeprobe

#include "core/geometry/krylov_batch.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <tuple>
#include <utility>

#include "core/tensor/concurrent_loop.h"

namespace moeprobe {
namespace {

// The orthonormal rows that span those of `block` [n, b, d], and the factor
// [n, b, b] with block' = rows' factor.
std::pair<at::Tensor, at::Tensor> OrthonormalRows(const at::Tensor& block) {
  const auto [q, r] = at::linalg_qr(block.mT());
  return {q.mT().contiguous(), r};
}

at::Tensor Start(const LinearMaps& maps, int64_t block_size, int64_t seed) {
  const at::Tensor block =
      at::randn({1, block_size, maps.width},
                at::detail::createCPUGenerator(static_cast<uint64_t>(seed)));
  return OrthonormalRows(block)
      .first.expand({maps.count, block_size, maps.width})
      .contiguous();
}

}  // namespace

KrylovBatch::KrylovBatch(LinearMaps maps, int64_t block_size,
                         int64_t max_dimension, int64_t seed)
    : maps_(std::move(maps)),
      block_size_(block_size),
      basis_(at::empty({maps_.count, max_dimension, maps_.width}, at::kFloat)),
      projection_(
          at::zeros({maps_.count, max_dimension, max_dimension}, at::kDouble)),
      next_(Start(maps_, block_size, seed)) {}

void KrylovBatch::Orthogonalise(at::Tensor& block) const {
  const at::Tensor basis = basis_.narrow(1, 0, dimension_);
  block.baddbmm_(block.bmm(basis.mT()), basis, 1, -1);
}

void KrylovBatch::Grow() {
  const at::Tensor image = maps_.apply(next_);  // [n, b, d']
  if (!images_.defined()) {
    images_ =
        at::empty({maps_.count, basis_.size(1), image.size(2)}, at::kDouble);
  }
  basis_.narrow(1, dimension_, block_size_).copy_(next_);
  const at::Tensor wide = images_.narrow(1, dimension_, block_size_);
  wide.copy_(image);
  dimension_ += block_size_;
  // In float64, from the images: the singular values keep the accuracy of
  // float32 products instead of that of their squares.
  const at::Tensor rows = wide.bmm(images_.narrow(1, 0, dimension_).mT());
  const int64_t begin = dimension_ - block_size_;
  projection_.narrow(1, begin, block_size_)
      .narrow(2, 0, dimension_)
      .copy_(rows);
  projection_.narrow(2, begin, block_size_)
      .narrow(1, 0, dimension_)
      .copy_(rows.mT());

  at::Tensor remainder = maps_.apply_transposed(image);
  Orthogonalise(remainder);
  std::tie(next_, coupling_) = OrthonormalRows(remainder);
  // Twice is enough (Parlett, The Symmetric Eigenvalue Problem, 6.9), counted
  // from here: where little remains, what was normalised is mostly rounding.
  Orthogonalise(next_);
  Orthogonalise(next_);
  next_ = OrthonormalRows(next_).first;
}

RitzValues KrylovBatch::Leading(int64_t count) const {
  RitzValues ritz{.values = at::empty({maps_.count, count}, at::kDouble),
                  .residuals = at::empty({maps_.count, count}, at::kDouble)};
  const at::Tensor coupling = coupling_.to(at::kDouble);
  const int64_t bytes_each =
      2 * dimension_ * dimension_ * int64_t{sizeof(double)};
  ConcurrentLoop(maps_.count, bytes_each, [&](int64_t i) {
    const auto [values, vectors] = at::linalg_eigh(
        projection_[i].narrow(0, 0, dimension_).narrow(1, 0, dimension_));
    const int64_t first = dimension_ - count;
    ritz.values[i].copy_(
        values.narrow(0, first, count).flip(0).clamp_min(0).sqrt());
    // A'A is blind to the space but for its last block.
    const at::Tensor last =
        vectors.narrow(1, first, count)
            .narrow(0, dimension_ - block_size_, block_size_);
    ritz.residuals[i].copy_(coupling[i].mm(last).norm(2, 0).flip(0));
  });
  return ritz;
}

}  // namespace moeprobe

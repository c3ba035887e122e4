#include "core/geometry/krylov_space.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
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

namespace moeprobe {
namespace {

constexpr uint64_t kSeed = 0;

// Makes the rows of `block` orthonormal; returns what they were in the new
// ones: old = factor new.
at::Tensor OrthonormaliseRows(at::Tensor& block) {
  const auto [q, r] = at::linalg_qr(block.t());
  block = q.t().contiguous();
  return r.t();
}

}  // namespace

KrylovSpace::KrylovSpace(at::Tensor matrix, int64_t block_size,
                         int64_t max_dimension)
    : matrix_(std::move(matrix)),
      block_size_(block_size),
      basis_(at::empty({max_dimension, matrix_.size(0)}, at::kDouble)),
      projection_(at::zeros({max_dimension, max_dimension}, at::kDouble)),
      next_(at::randn({block_size, matrix_.size(0)},
                      at::detail::createCPUGenerator(kSeed), at::kDouble)) {
  OrthonormaliseRows(next_);
}

// Takes the part in the space out of the rows of `block`; returns that part's
// coordinates [block_size, dimension].
at::Tensor KrylovSpace::Orthogonalise(at::Tensor& block) const {
  const at::Tensor coordinates = block.mm(Basis().t());
  block.sub_(coordinates.mm(Basis()));
  return coordinates;
}

void KrylovSpace::Grow() {
  const int64_t begin = dimension_;
  dimension_ += block_size_;
  basis_.slice(0, begin, dimension_).copy_(next_);

  next_ = next_.mm(matrix_);  // rows of V A, A being symmetric
  const at::Tensor first = Orthogonalise(next_);
  coupling_ = OrthonormaliseRows(next_);
  // Twice: a block that lay almost in the space comes out of the first round as
  // rounding errors of length 1.
  const at::Tensor second = Orthogonalise(next_);
  projection_.slice(0, begin, dimension_)
      .slice(1, 0, dimension_)
      .copy_(first + coupling_.mm(second));
  coupling_ = coupling_.mm(OrthonormaliseRows(next_));
}

RitzVectors KrylovSpace::Leading(int64_t count) const {
  const at::Tensor projection =
      projection_.narrow(0, 0, dimension_).narrow(1, 0, dimension_);
  // Only the lower triangle is read: the newest coordinates of each pair.
  const auto [values, vectors] = at::linalg_eigh(projection, "L");
  const at::Tensor leading =
      vectors.narrow(1, dimension_ - count, count).flip(1).t();  // [count, dim]
  const at::Tensor residual =
      leading.narrow(1, dimension_ - block_size_, block_size_).mm(coupling_);
  return {.vectors = leading.mm(Basis()),
          .largest_residual = residual.norm(2, 1).max().item<double>()};
}

}  // namespace moeprobe

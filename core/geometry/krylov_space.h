#ifndef MOEPROBE_CORE_GEOMETRY_KRYLOV_SPACE_H_
#define MOEPROBE_CORE_GEOMETRY_KRYLOV_SPACE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Approximate eigenvectors from a Krylov space.
struct RitzVectors {
  at::Tensor vectors;         // [count, N]: orthonormal rows, largest first
  double largest_residual{};  // of |A v - theta v| over the vectors
};

// The block Krylov space span(V_1, A V_1, A^2 V_1, ...) of a symmetric matrix
// A [N, N] float64, with an orthonormal basis kept in full (block Lanczos).
// The start V_1 is random from a fixed seed.
class KrylovSpace {
 public:
  // Grows to `max_dimension` at most, a multiple of `block_size`.
  // `matrix` must stay unchanged as long as the space is used.
  KrylovSpace(at::Tensor matrix, int64_t block_size, int64_t max_dimension);

  bool CanGrow() const { return dimension_ < basis_.size(0); }

  // Adds one block: one product of A with `block_size` vectors.
  void Grow();

  // Returns the best approximations in the space to the `count` leading
  // eigenvectors. At most as many as dimensions.
  RitzVectors Leading(int64_t count) const;

 private:
  at::Tensor Basis() const { return basis_.narrow(0, 0, dimension_); }
  at::Tensor Orthogonalise(at::Tensor& block) const;

  at::Tensor matrix_;
  int64_t block_size_;
  int64_t dimension_ = 0;  // of the blocks multiplied by A
  at::Tensor basis_;       // [max_dimension, N]: orthonormal rows
  at::Tensor projection_;  // [max_dimension, max_dimension]: V A V'
  at::Tensor next_;        // [block_size, N]: the block to come
  at::Tensor coupling_;  // [block_size, block_size]: A V = ... + coupling next
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_GEOMETRY_KRYLOV_SPACE_H_

#ifndef MOEPROBE_CORE_GEOMETRY_KRYLOV_BATCH_H_
#define MOEPROBE_CORE_GEOMETRY_KRYLOV_BATCH_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace moeprobe {

// n linear maps A_i from R^d to R^d', known by what they do to vectors. Both
// functions take and return float32; row j of x[i] is multiplied by A_i alone.
struct LinearMaps {
  int64_t count = 0;  // n
  int64_t width = 0;  // d
  // [n, b, d] to [n, b, d']: A_i x.
  std::function<at::Tensor(const at::Tensor& x)> apply;
  // [n, b, d'] to [n, b, d]: A_i' y.
  std::function<at::Tensor(const at::Tensor& y)> apply_transposed;
};

// Approximations to the largest singular values of each map.
struct RitzValues {
  at::Tensor values;  // [n, count] float64: descending
  // [n, count] float64: |A'A v - sigma^2 v| for the approximate vectors.
  at::Tensor residuals;
};

// For each of several linear maps the block Krylov space span(V, A'A V,
// (A'A)^2 V, ...), with an orthonormal basis kept in full (Golub & Van Loan,
// Matrix Computations, 10.4). All maps are multiplied at once: that is what
// makes large products of small blocks.
//
// The start V is random from a seed and the same for every map, so a map's
// values do not depend on its place in the batch.
class KrylovBatch {
 public:
  // Grows to `max_dimension` <= d at most, by `block_size` at a time.
  KrylovBatch(LinearMaps maps, int64_t block_size, int64_t max_dimension,
              int64_t seed);

  int64_t dimension() const { return dimension_; }
  bool CanGrow() const {
    return dimension_ + block_size_ <= projection_.size(1);
  }

  // Adds one block: one product with A and one with A' for each vector.
  void Grow();

  // Returns the best approximations in the spaces to the `count` leading
  // singular values, at most as many as dimensions.
  RitzValues Leading(int64_t count) const;

 private:
  void Orthogonalise(at::Tensor& block) const;

  LinearMaps maps_;
  int64_t block_size_;     // b
  int64_t dimension_ = 0;  // of the blocks multiplied so far
  at::Tensor basis_;       // [n, max, d] float32: orthonormal rows
  at::Tensor images_;      // [n, max, d'] float64: A applied to them
  at::Tensor projection_;  // [n, max, max] float64: images images'
  at::Tensor next_;        // [n, b, d]: the block to come
  at::Tensor coupling_;    // [n, b, b]: A'A V = ... + coupling next
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_GEOMETRY_KRYLOV_BATCH_H_

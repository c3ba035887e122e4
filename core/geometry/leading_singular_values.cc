#include "core/geometry/leading_singular_values.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_svdvals.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/where.h>
#include <c10/core/ScalarType.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/geometry/krylov_batch.h"
#include "core/tensor/concurrent_loop.h"

namespace moeprobe {
namespace {

// Vectors of all maps together that make products run at a good rate, and how
// many one map should have.
constexpr int64_t kVectorsPerProduct = 64;
constexpr int64_t kSmallestBlock = 8;
constexpr int64_t kLargestBlock = 16;

int64_t BlockSize(const LinearMaps& maps) {
  return std::clamp(kVectorsPerProduct / maps.count, kSmallestBlock,
                    kLargestBlock);
}

// Distance of each square to the nearest other one, less their residuals; the
// last has its neighbour below outside. [n, count].
at::Tensor Gaps(const at::Tensor& squares, const at::Tensor& residuals,
                int64_t count) {
  const at::Tensor below =
      squares.slice(1, 0, -1) - squares.slice(1, 1) - residuals.slice(1, 1);
  const at::Tensor above =
      squares.slice(1, 0, -1) - squares.slice(1, 1) - residuals.slice(1, 0, -1);
  at::Tensor gaps = below.slice(1, 0, count).clone();
  gaps.slice(1, 1).copy_(
      at::minimum(gaps.slice(1, 1), above.slice(1, 0, count - 1)));
  return gaps;
}

// Estimated relative errors of the first `count` of `ritz`, which has one more,
// [n].
at::Tensor Errors(const RitzValues& ritz, int64_t count) {
  const at::Tensor squares = ritz.values.square();
  const at::Tensor residual = ritz.residuals.slice(1, 0, count);
  const at::Tensor gaps = Gaps(squares, ritz.residuals, count);
  const at::Tensor of_square =
      at::where(gaps > residual, residual.square() / gaps, residual);
  const at::Tensor floor = (squares.slice(1, 0, 1) *
                            (kSmallestSingularRatio * kSmallestSingularRatio))
                               .clamp_min(std::numeric_limits<double>::min());
  const at::Tensor relative =
      of_square / (2 * at::maximum(squares.slice(1, 0, count), floor));
  return relative.amax(1);
}

}  // namespace

LeadingSingularValues FindLeadingSingularValues(const LinearMaps& maps,
                                                int64_t count,
                                                int64_t max_dimension,
                                                int64_t seed) {
  TORCH_CHECK(count >= 1 && count + kLargestBlock <= max_dimension &&
                  max_dimension <= maps.width,
              "singular values: got ", count, " of at most ", max_dimension,
              " dimensions in ", maps.width);
  KrylovBatch spaces(maps, BlockSize(maps), max_dimension, seed);
  // The eigenproblem of the projection is not free: it is solved each time the
  // spaces have grown by an eighth.
  int64_t next_check = std::min(4 * count, max_dimension - max_dimension / 8);
  while (true) {
    spaces.Grow();
    const int64_t dimension = spaces.dimension();
    const bool last = !spaces.CanGrow();
    if (dimension <= count || (dimension < next_check && !last)) continue;
    next_check = dimension + dimension / 8;
    const RitzValues ritz = spaces.Leading(count + 1);
    const at::Tensor error = Errors(ritz, count);
    if (last || error.amax().item<double>() <= kSingularValueTolerance) {
      return {.values = ritz.values.slice(1, 0, count).contiguous(),
              .error = error,
              .vectors = dimension};
    }
  }
}

at::Tensor AllSingularValues(const at::Tensor& matrices) {
  at::Tensor values = at::empty(
      {matrices.size(0), std::min(matrices.size(1), matrices.size(2))},
      at::kDouble);
  const int64_t bytes_each =
      2 * matrices.size(1) * matrices.size(2) * int64_t{sizeof(double)};
  ConcurrentLoop(matrices.size(0), bytes_each, [&](int64_t i) {
    values[i].copy_(at::linalg_svdvals(matrices[i]));
  });
  return values;
}

}  // namespace moeprobe

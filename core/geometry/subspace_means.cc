#include "core/geometry/subspace_means.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/linalg_svdvals.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <limits>
#include <tuple>

#include "core/geometry/pair_means.h"

namespace moeprobe {
namespace {

// 1 - cos of an angle that is rounding: theta^2 / 2 with theta = 1e-7.
constexpr double kNoAngle = 5e-15;

// Norms of the principal angles with cosines that are the singular values of
// `products` [r, n, n].
at::Tensor AngleNorms(const at::Tensor& products) {
  const at::Tensor cosines = at::linalg_svdvals(products);  // [r, n]
  return cosines.masked_fill(cosines.gt(1 - kNoAngle), 1)
      .acos()
      .square()
      .sum(-1)
      .sqrt();
}

// Q_i'R_j of all pairs, [p, q, n, n].
at::Tensor Products(const at::Tensor& a, const at::Tensor& b) {
  const int64_t n = a.size(2);
  const at::Tensor left = a.transpose(1, 2).reshape({-1, a.size(1)});
  const at::Tensor right = b.transpose(1, 2).reshape({-1, b.size(1)});
  return left.mm(right.t())
      .view({a.size(0), n, b.size(0), n})
      .permute({0, 2, 1, 3});
}

}  // namespace

at::Tensor CrossDistances(const at::Tensor& a, const at::Tensor& b) {
  const int64_t n = a.size(2);
  return AngleNorms(Products(a, b).reshape({-1, n, n}))
      .view({a.size(0), b.size(0)});
}

double MeanPairDistance(const at::Tensor& bases) {
  const int64_t count = bases.size(0);
  if (count < 2) return std::numeric_limits<double>::quiet_NaN();
  const at::Tensor products =
      Products(bases, bases)
          .reshape({count * count, bases.size(2), bases.size(2)})
          .index_select(0, PairPlaces(count));
  return AngleNorms(products).mean().item<double>();
}

at::Tensor RandomSubspaceDistance(int64_t width, int64_t size, int64_t draws,
                                  uint64_t seed) {
  const at::Tensor bases = std::get<0>(at::linalg_qr(
      at::randn({2, draws, width, size}, at::detail::createCPUGenerator(seed),
                at::kDouble)));
  const at::Tensor distances =
      AngleNorms(bases[0].transpose(1, 2).bmm(bases[1]));
  return at::stack({distances.mean(), distances.std()});
}

}  // namespace moeprobe

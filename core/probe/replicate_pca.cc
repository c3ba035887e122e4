#include "core/probe/replicate_pca.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/xlogy.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <limits>

#include "core/probe/projected_tokens.h"

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Below this share the rest is rounding.
constexpr double kNoRest = 1e-9;

// Scatter around the weighted mean, [r, m, m]. The coordinates are centred; the
// mean they lost comes back with its own factor, which is 0 where all weights
// are equal, so that a large mean costs no accuracy.
at::Tensor Scatter(const Moments& moments, const at::Tensor& mean,
                   const at::Tensor& total) {
  const int64_t m = mean.size(0);
  const at::Tensor sums =
      moments.second - moments.first.unsqueeze(2) * moments.first.unsqueeze(1) /
                           total.view({-1, 1, 1});  // [r, m + 1, m + 1]
  const at::Tensor with_mean = sums.select(2, m).slice(1, 0, m).unsqueeze(2) *
                               mean.view({1, 1, m});  // [r, m, m]
  return sums.slice(1, 0, m).slice(2, 0, m) + with_mean + with_mean.mT() +
         sums.select(2, m).select(1, m).view({-1, 1, 1}) *
             mean.outer(mean).unsqueeze(0);
}

at::Tensor Entropy(const ReplicatePca& pca, const at::Tensor& rest_entropy) {
  return pca.rest * rest_entropy - at::xlogy(pca.rest, pca.rest) -
         at::xlogy(pca.shares, pca.shares).sum(1);
}

at::Tensor HeadSquares(const ReplicatePca& pca) {
  return pca.shares.square().sum(1);
}

}  // namespace

ReplicatePca FindReplicatePca(const Moments& moments, const at::Tensor& mean,
                              const at::Tensor& total, int64_t components) {
  const at::Tensor scatter = Scatter(moments, mean, total);
  const at::Tensor variance =
      scatter.diagonal(0, 1, 2).sum(1) + moments.rest;  // [r]
  const at::Tensor missing =
      moments.rows.le(static_cast<double>(components))
          .logical_or(variance.gt(0).logical_not());  // [r]
  const auto [values, vectors] =
      at::linalg_eigh(scatter.masked_fill(missing.view({-1, 1, 1}), 0));
  const at::Tensor known = variance.masked_fill(missing, kNaN);
  return {.shares = values.flip(1).clamp_min(0) / known.unsqueeze(1),
          .rest = moments.rest / known,
          .basis = vectors.slice(2, vectors.size(2) - components)
                       .flip(2)
                       .masked_fill(missing.view({-1, 1, 1}), kNaN)};
}

RestShape FitRestShape(const ReplicatePca& pca,
                       const at::Tensor& effective_rank,
                       const at::Tensor& participation_ratio) {
  const at::Tensor none = pca.rest.lt(kNoRest);
  const at::Tensor entropy =
      (effective_rank.log() - Entropy(pca, at::zeros_like(pca.rest))) /
      pca.rest;
  const at::Tensor squares =
      (participation_ratio.reciprocal() - HeadSquares(pca)) / pca.rest.square();
  const at::Tensor known = effective_rank * 0;  // NaN stays NaN
  return {.entropy = entropy.masked_fill(none, 0) + known,
          .squares = squares.masked_fill(none, 0) + known};
}

at::Tensor EffectiveRanks(const ReplicatePca& pca, const RestShape& shape) {
  return Entropy(pca, shape.entropy).exp();
}

at::Tensor ParticipationRatios(const ReplicatePca& pca,
                               const RestShape& shape) {
  return (HeadSquares(pca) + pca.rest.square() * shape.squares).reciprocal();
}

}  // namespace moeprobe

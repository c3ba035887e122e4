#include "core/geometry/pair_means.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/nanmean.h>
#include <ATen/ops/triu_indices.h>

#include <cstdint>

namespace moeprobe {

at::Tensor PairPlaces(int64_t count) {
  const at::Tensor pairs = at::triu_indices(count, count, /*offset=*/1);
  return pairs[0] * count + pairs[1];
}

at::Tensor MeansOverPairs(const at::Tensor& matrices) {
  return at::nanmean(
      matrices.flatten(1).index_select(1, PairPlaces(matrices.size(1))), 1);
}

double MeanOverPairs(const at::Tensor& matrix) {
  return MeansOverPairs(matrix.unsqueeze(0)).item<double>();
}

}  // namespace moeprobe

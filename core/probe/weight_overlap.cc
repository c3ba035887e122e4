#include "core/probe/weight_overlap.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_view.h"
#include "core/geometry/leading_subspace.h"
#include "core/geometry/symmetric_product.h"
#include "core/model/weight.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/tensor/concurrent_loop.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Bounds what is converted at once.
constexpr int64_t kRowsPerBlock = 2048;

// The subspaces of all experts on one side.
struct Subspaces {
  Subspaces(int64_t count, int64_t width, int64_t rank)
      : bases(at::empty({count, rank, width}, at::kFloat)),
        energy(at::full({count}, kNaN, at::kDouble)) {}

  at::Tensor bases;   // [E, r, d] float32: orthonormal rows
  at::Tensor energy;  // [E] float64; NaN where there is no subspace
};

// Adds x'x for the rows of `x`. Where the subspace is exact so are the
// products: float64. Elsewhere rounding in float32 is far below its tolerance.
void AddProducts(const at::Tensor& x, const at::Tensor& sum) {
  for (const at::Tensor& rows : x.split(kRowsPerBlock)) {
    AddSymmetricProduct(rows.to(sum.scalar_type()), sum);
  }
}

at::Tensor ZeroProducts(int64_t width) {
  return at::zeros({width, width},
                   width <= kMostDecomposedWidth ? at::kDouble : at::kFloat);
}

// W_gate'W_gate + W_up'W_up, whose eigenvectors are the right singular vectors
// of the two on top of each other; the former alone where that is all.
at::Tensor InputProducts(const MlpTensors& expert) {
  const at::Tensor sum = ZeroProducts(expert.gate.shape[1]);
  AddProducts(StoredWeight(expert.gate), sum);
  if (expert.up) AddProducts(StoredWeight(*expert.up), sum);
  return sum;
}

// W_down W_down', whose eigenvectors are the left singular vectors.
at::Tensor OutputProducts(const MlpTensors& expert) {
  const at::Tensor sum = ZeroProducts(expert.down.shape[0]);
  AddProducts(StoredWeight(expert.down).t(), sum);
  return sum;
}

// The products in both types, the eigenproblem's workspace and its basis.
int64_t BytesOf(int64_t width) {
  return 5 * width * width * int64_t{sizeof(double)};
}

template <typename Products>
Subspaces FindSubspaces(std::span<const MlpTensors> experts, int64_t rank,
                        const Products& products) {
  const auto count = static_cast<int64_t>(experts.size());
  const int64_t width = experts[0].gate.shape[1];
  Subspaces found(count, width, rank);
  ConcurrentLoop(count, BytesOf(width), [&](int64_t e) {
    const at::Tensor sum = products(experts[static_cast<size_t>(e)]);
    MirrorUpperTriangle(sum);
    const LeadingSubspace subspace =
        FindLeadingSubspace(sum.to(at::kDouble), rank);
    found.bases[e].copy_(subspace.basis.t());
    found.energy[e] = subspace.energy;
  });
  return found;
}

// |Q_i'Q_j|_F^2 / r for all pairs, [E, E] float64.
at::Tensor Overlaps(const Subspaces& subspaces) {
  const int64_t count = subspaces.bases.size(0);
  const int64_t rank = subspaces.bases.size(1);
  at::Tensor result = at::full({count, count}, 1, at::kDouble);
  for (int64_t i = 0; i + 1 < count; ++i) {
    const int64_t others = count - i - 1;
    const at::Tensor cosines =
        subspaces.bases.narrow(0, i + 1, others)
            .flatten(0, 1)
            .mm(subspaces.bases[i].t());  // [others r, r]
    const at::Tensor overlap =
        cosines.view({others, -1}).square().sum(1, false, at::kDouble) /
        static_cast<double>(rank);
    result[i].narrow(0, i + 1, others).copy_(overlap);
    result.select(1, i).narrow(0, i + 1, others).copy_(overlap);
  }
  const at::Tensor missing = subspaces.energy.isnan();
  return result.masked_fill(missing.unsqueeze(0), kNaN)
      .masked_fill(missing.unsqueeze(1), kNaN);
}

void AddSide(const std::string& side, const Subspaces& subspaces,
             ProbeResult& result) {
  const auto add = [&](const std::string& name, const at::Tensor& value) {
    result.arrays.push_back(
        {.name = absl::StrCat("weight_overlap/", side, name),
         .probe = "redundancy/weights",
         .array = ToArray(value)});
  };
  add("", Overlaps(subspaces));
  add("_energy", subspaces.energy);
  for (int64_t e = 0; e < subspaces.energy.size(0); ++e) {
    if (!std::isnan(subspaces.energy[e].item<double>())) continue;
    result.warnings.push_back(
        absl::StrCat("expert ", e, ": its weights are zero (", side,
                     "); their overlap with others is NaN"));
  }
}

}  // namespace

ProbeResult WeightOverlap(const LayerTensors& tensors, int64_t rank) {
  const std::span<const MlpTensors> experts = RoutedExperts(tensors);
  const int64_t width = experts[0].gate.shape[1];
  const int64_t size = std::min({rank, width, experts[0].gate.shape[0]});
  ProbeResult result;
  AddSide("input", FindSubspaces(experts, size, InputProducts), result);
  AddSide("output", FindSubspaces(experts, size, OutputProducts), result);
  const double floor = static_cast<double>(size) / static_cast<double>(width);
  result.arrays.push_back({.name = "weight_overlap/floor",
                           .probe = "redundancy/weights",
                           .array = ToArray(at::full({}, floor, at::kDouble))});
  if (size == width) {
    result.warnings.push_back(absl::StrCat(
        "weight overlap: subspaces of size ", size,
        " are the whole space, the model's width; every overlap is 1"));
  }
  return result;
}

}  // namespace moeprobe

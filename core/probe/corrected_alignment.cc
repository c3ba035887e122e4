#include "core/probe/corrected_alignment.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/model/mlp.h"
#include "core/probe/averaged_jacobian.h"
#include "core/probe/expert_spread.h"
#include "core/probe/gram_cosines.h"
#include "core/probe/jacobian_sketch.h"
#include "core/probe/jacobian_sums.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/random_directions.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

// Of those that the halves are compared in: 2 f d operations for each half.
constexpr int64_t kDirections = 64;

// Experts that have weight in both halves, and their places among those that
// have any.
struct Halved {
  std::vector<int64_t> experts;
  std::vector<int64_t> places;
};

Halved FindHalved(const JacobianSums& sums, size_t weighting,
                  ProbeResult& result) {
  Halved halved;
  int64_t place = 0;
  for (int64_t e = 0; e < sums.expert_count(); ++e) {
    const bool even = sums.WeightTotal(e, weighting, kEvenGroups) > 0;
    const bool odd = sums.WeightTotal(e, weighting, kOddGroups) > 0;
    if (even && odd) {
      halved.experts.push_back(e);
      halved.places.push_back(place);
    } else if (even || odd) {
      result.warnings.push_back(absl::StrCat(
          "expert ", e, ": all of its tokens (",
          NameOf(sums.weightings()[weighting]),
          ") are in one half of the windows; its corrected cosines are NaN"));
    }
    if (even || odd) ++place;
  }
  return halved;
}

// A q and B q of each expert, [n, 2, m, d].
at::Tensor SketchHalves(const JacobianSums& sums, size_t weighting,
                        const std::vector<int64_t>& experts,
                        const at::Tensor& directions) {
  const at::ScalarType type = directions.scalar_type();
  std::vector<at::Tensor> sketches;
  sketches.reserve(experts.size());
  for (const int64_t e : experts) {
    const AveragedJacobian a = sums.Average(e, weighting, kEvenGroups);
    const AveragedJacobian b = sums.Average(e, weighting, kOddGroups);
    sketches.push_back(
        SketchOf({.weights = WeightsAs(sums.Weights(e), type),
                  .slope = at::stack({a.slope, b.slope}).to(type),
                  .value = at::stack({a.value, b.value}).to(type)},
                 directions));
  }
  return at::stack(sketches);
}

// The share of each expert's weight that the even groups have, [n, 1, 1].
at::Tensor EvenShares(const JacobianSums& sums, size_t weighting,
                      const std::vector<int64_t>& experts) {
  std::vector<double> shares;
  shares.reserve(experts.size());
  for (const int64_t e : experts) {
    shares.push_back(sums.WeightTotal(e, weighting, kEvenGroups) /
                     sums.WeightTotal(e, weighting));
  }
  return at::tensor(shares, at::kDouble).view({-1, 1, 1});
}

// What each direction says the halves add to the <J_e, J_e'> of the whole
// sample, J = p A + (1 - p) B, [m, n, n].
at::Tensor AddedByHalves(const at::Tensor& halves, const at::Tensor& shares) {
  const at::Tensor a = halves.select(1, 0).to(at::kDouble);  // [n, m, d]
  const at::Tensor b = halves.select(1, 1).to(at::kDouble);
  const at::Tensor whole = shares * a + (1 - shares) * b;
  const at::Tensor crossed = GramsByDirection(a, b);
  return (crossed + crossed.mT())
      .mul_(0.5)
      .sub_(GramsByDirection(whole, whole));
}

struct Corrected {
  at::Tensor cosine;  // [n, n]
  at::Tensor error;   // [n, n]
};

Corrected Correct(const JacobianSums& sums, size_t weighting,
                  const Halved& halved, const at::Tensor& gram, int64_t seed) {
  const int64_t width = sums.width();
  const at::Tensor directions = RandomDirections(
      width, kMostExactHalves, std::min(kDirections, width), seed);
  const at::Tensor added =
      AddedByHalves(SketchHalves(sums, weighting, halved.experts, directions),
                    EvenShares(sums, weighting, halved.experts))
          .mul_(static_cast<double>(width));
  const at::Tensor places = at::tensor(halved.places, at::kLong);
  const at::Tensor corrected =
      gram.index_select(0, places).index_select(1, places) + added.mean(0);
  return {.cosine = CosinesOf(corrected),
          .error = ErrorOfDirections(CosineChanges(corrected, added), width)};
}

// An expert that has nothing in common with itself.
void WarnOfNoise(const at::Tensor& cosine, const Halved& halved,
                 const std::string& weighting, ProbeResult& result) {
  for (size_t i = 0; i < halved.experts.size(); ++i) {
    const auto place = static_cast<int64_t>(i);
    if (!std::isnan(cosine[place][place].item<double>())) continue;
    result.warnings.push_back(absl::StrCat(
        "expert ", halved.experts[i], ": its averaged Jacobians (", weighting,
        ") over even and odd windows do not agree at all; its corrected "
        "cosines are NaN"));
  }
}

}  // namespace

at::Tensor CorrectedAlignment(const JacobianSums& sums, size_t weighting,
                              const at::Tensor& gram, int64_t seed,
                              ProbeResult& result) {
  const std::string name = NameOf(sums.weightings()[weighting]);
  const Halved halved = FindHalved(sums, weighting, result);
  const at::Tensor none = at::zeros({0, 0}, at::kDouble);
  const Corrected corrected =
      halved.experts.empty() ? Corrected{.cosine = none, .error = none}
                             : Correct(sums, weighting, halved, gram, seed);
  WarnOfNoise(corrected.cosine, halved, name, result);
  const auto add = [&](const char* suffix, const at::Tensor& values) {
    at::Tensor all =
        SpreadOverExperts(values, halved.experts, sums.expert_count());
    result.arrays.push_back(
        {.name = absl::StrCat("jacobian_cosine_corrected/", name, suffix),
         .probe = absl::StrCat("jacobian/corrected/", name),
         .array = ToArray(all)});
    return all;
  };
  add("/error", corrected.error);
  return add("", corrected.cosine);
}

}  // namespace moeprobe

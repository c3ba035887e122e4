#include "core/probe/token_alignment.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/mlp.h"
#include "core/probe/gram_cosines.h"
#include "core/probe/jacobian_sketch.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/probe/random_directions.h"
#include "core/probe/token_jacobians.h"
#include "core/probe/token_sample.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

// Of those that wide Jacobians are compared in: 2 f d operations for each token
// and expert.
constexpr int64_t kDirections = 64;

// Bounds the products of all experts at all tokens with some directions, of
// which there are a float32 and two float64 copies.
constexpr int64_t kMaxSketchBytes = int64_t{1} << 30;
constexpr int64_t kBytesOfEntry = 20;

std::vector<MlpTensors> ExpertsOf(const LayerTensors& tensors) {
  if (tensors.dense) return {*tensors.dense};
  return tensors.experts;
}

// J_e(x) q for every expert, [E, n, m, d].
at::Tensor Sketch(const std::vector<MlpTensors>& experts, const at::Tensor& x,
                  const at::Tensor& directions) {
  std::vector<at::Tensor> sketches;
  sketches.reserve(experts.size());
  for (const MlpTensors& expert : experts) {
    const MlpWeights weights = WeightsAs(expert, directions.scalar_type());
    sketches.push_back(SketchOf(JacobiansAt(weights, x), directions));
  }
  return at::stack(sketches);
}

// <J_e(x) q, J_e'(x) q> by direction, [m, n, E, E]; summed over blocks of
// directions where only the sum is asked for.
at::Tensor Grams(const std::vector<MlpTensors>& experts, const at::Tensor& x,
                 const at::Tensor& directions, bool only_sums) {
  const auto count = static_cast<int64_t>(experts.size());
  const int64_t bytes = count * x.numel() * kBytesOfEntry;
  std::vector<at::Tensor> grams;
  for (const at::Tensor& some : directions.split(std::max<int64_t>(
           1, kMaxSketchBytes / std::max<int64_t>(bytes, 1)))) {
    const at::Tensor sketch = Sketch(experts, x, some);
    const at::Tensor gram = GramsByDirection(sketch, sketch);
    grams.push_back(only_sums ? gram.sum(0, /*keepdim=*/true) : gram);
  }
  return at::cat(grams);
}

void WarnOfZeros(const at::Tensor& cosines, ProbeResult& result) {
  for (int64_t e = 0; e < cosines.size(0); ++e) {
    if (!std::isnan(cosines[e][e].item<double>())) continue;
    result.warnings.push_back(
        absl::StrCat("expert ", e,
                     ": its Jacobian is zero at one of the common tokens; its "
                     "cosines at single tokens are NaN"));
  }
}

}  // namespace

ProbeResult TokenAlignment(const ProbedLayer& layer, int64_t tokens,
                           int64_t seed) {
  const at::Tensor sample =
      SampleTokens(layer.counted.nonzero().flatten(), tokens, seed);
  const int64_t width = layer.h.size(1);
  const at::Tensor directions = RandomDirections(
      width, kMostExactTokenWidth, std::min(kDirections, width), seed);
  const bool exact = directions.size(0) == width;
  const at::Tensor terms =
      Grams(ExpertsOf(layer.tensors), layer.h.index_select(0, sample),
            directions, exact);                                  // [m, n, E, E]
  const at::Tensor gram = exact ? terms.sum(0) : terms.mean(0);  // [n, E, E]
  const at::Tensor cosines = CosinesOf(gram).mean(0);
  const at::Tensor error = ErrorOfDirections(CosineChanges(gram, terms).mean(1),
                                             exact ? terms.size(0) : width);
  ProbeResult result;
  const auto add = [&](const char* name, const at::Tensor& values) {
    result.arrays.push_back(
        {.name = name, .probe = "jacobian/token", .array = ToArray(values)});
  };
  add("jacobian_cosine/token", cosines);
  add("jacobian_cosine/token_error", error);
  WarnOfZeros(cosines, result);
  return result;
}

}  // namespace moeprobe

#include "core/probe/output_similarity.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/strings/str_cat.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/mlp.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/probe/token_jacobians.h"
#include "core/probe/token_sample.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

// Bounds the outputs of all experts.
constexpr int64_t kMaxOutputBytes = int64_t{1} << 30;

// Tokens whose outputs are held in float64 at once.
constexpr int64_t kTokensPerSum = 16;

// Sums over tokens.
struct OutputSums {
  explicit OutputSums(int64_t expert_count)
      : cosine(at::zeros({expert_count, expert_count}, at::kDouble)),
        norm(at::zeros({expert_count}, at::kDouble)),
        zeros(at::zeros({expert_count}, at::kLong)) {}

  // `outputs` [E, n, d] float32.
  void Add(const at::Tensor& outputs) const {
    for (const at::Tensor& some : outputs.split(kTokensPerSum, 1)) {
      const at::Tensor wide = some.to(at::kDouble);
      const at::Tensor norms = wide.norm(2, 2, /*keepdim=*/true);
      norm.add_(norms.sum({1, 2}));
      zeros.add_(norms.eq(0).sum({1, 2}));
      const at::Tensor directions = (wide / norms).flatten(1);
      cosine.addmm_(directions, directions.t());
    }
  }

  at::Tensor cosine;  // [E, E]
  at::Tensor norm;    // [E]
  at::Tensor zeros;   // [E]: tokens where the output is zero
};

OutputSums SumOutputs(std::span<const MlpTensors> experts,
                      const at::Tensor& x) {
  const auto count = static_cast<int64_t>(experts.size());
  const int64_t token_bytes = count * x.size(1) * int64_t{sizeof(float)};
  const OutputSums sums(count);
  for (const at::Tensor& some :
       x.split(std::max<int64_t>(1, kMaxOutputBytes / token_bytes))) {
    const at::Tensor outputs =
        at::empty({count, some.size(0), x.size(1)}, at::kFloat);
    for (int64_t e = 0; e < count; ++e) {
      outputs[e].copy_(OutputsAt(
          WeightsAs(experts[static_cast<size_t>(e)], at::kFloat), some));
    }
    sums.Add(outputs);
  }
  return sums;
}

}  // namespace

ProbeResult OutputSimilarity(const ProbedLayer& layer, int64_t token_count,
                             int64_t seed) {
  const at::Tensor tokens =
      SampleTokens(layer.counted.nonzero().flatten(), token_count, seed);
  const auto count = static_cast<double>(tokens.size(0));
  const OutputSums sums =
      SumOutputs(RoutedExperts(layer.tensors), layer.h.index_select(0, tokens));
  const at::Tensor similarity = sums.cosine / count;
  // NaN stays NaN.
  similarity.diagonal().add_(1 - similarity.diagonal());

  ProbeResult result;
  const auto add = [&](const char* name, const at::Tensor& value) {
    result.arrays.push_back(
        {.name = name, .probe = "redundancy/outputs", .array = ToArray(value)});
  };
  add("output_similarity", similarity);
  add("output_norm", sums.norm / count);
  for (int64_t e = 0; e < sums.zeros.size(0); ++e) {
    const auto zeros = sums.zeros[e].item<int64_t>();
    if (zeros == 0) continue;
    result.warnings.push_back(absl::StrCat(
        "expert ", e, ": its output is zero at ", zeros, " of ", tokens.size(0),
        " tokens; its similarity to others is NaN"));
  }
  if (tokens.size(0) == 0) {
    result.warnings.emplace_back(
        "output similarity: no token to run the experts on; it is NaN");
  }
  return result;
}

}  // namespace moeprobe

#include "core/probe/jacobian_by_tokens.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/triu_indices.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/mlp.h"
#include "core/model/mlp_activation.h"
#include "core/probe/gram_cosines.h"
#include "core/probe/jacobian_sketch.h"
#include "core/probe/probe_result.h"
#include "core/probe/random_directions.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

constexpr int64_t kDirections = 16;

// Bounds the products of all averages with some directions.
constexpr int64_t kMaxSketchBytes = int64_t{1} << 29;

// What directions say of the averages J_et, by expert e and tokens t.
struct Layout {
  std::vector<at::Tensor> squares;  // by direction: total and three parts, [4]
  at::Tensor same_expert;           // [e, t, t']: <J_et, J_et'>
  at::Tensor same_tokens;           // [t, e, e']: <J_et, J_e't>
};

// J_et q, [E, tokens, m, d].
at::Tensor Sketch(const std::vector<const MlpTensors*>& experts,
                  const std::vector<ActivationTerms>& sums,
                  const at::Tensor& where, const at::Tensor& token_counts,
                  const at::Tensor& directions) {
  const at::ScalarType type = directions.scalar_type();
  const auto average = [&](const at::Tensor& sum) {
    return (sum.index_select(0, where).to(at::kDouble) /
            token_counts.index_select(0, where).unsqueeze(1))
        .to(type);
  };
  std::vector<at::Tensor> sketches;
  sketches.reserve(experts.size());
  for (size_t e = 0; e < experts.size(); ++e) {
    sketches.push_back(SketchOf({.weights = WeightsAs(*experts[e], type),
                                 .slope = average(sums[e].slope),
                                 .value = average(sums[e].value)},
                                directions));
  }
  return at::stack(sketches);
}

// The sum of squares around the mean of all, and of what it consists of. `x`
// [E, tokens, d].
at::Tensor Decompose(const at::Tensor& x) {
  const at::Tensor mean = x.mean({0, 1}, /*keepdim=*/true);
  const at::Tensor of_expert = x.mean(1, /*keepdim=*/true) - mean;
  const at::Tensor of_tokens = x.mean(0, /*keepdim=*/true) - mean;
  const auto times = [](const at::Tensor& part, int64_t count) {
    return part.square().sum() * static_cast<double>(count);
  };
  return at::stack({times(x - mean, 1), times(of_expert, x.size(1)),
                    times(of_tokens, x.size(0)),
                    times(x - mean - of_expert - of_tokens, 1)});
}

void AddDirection(const at::Tensor& x, Layout& layout) {
  layout.squares.push_back(Decompose(x));
  layout.same_expert.add_(at::matmul(x, x.mT()));
  const at::Tensor y = x.transpose(0, 1);  // [tokens, E, d]
  layout.same_tokens.add_(at::matmul(y, y.mT()));
}

// The mean over pairs of each of `grams` [n, k, k] as cosines, [n].
at::Tensor MeanCosines(const at::Tensor& grams) {
  const int64_t size = grams.size(1);
  const at::Tensor pairs = at::triu_indices(size, size, /*offset=*/1);
  return CosinesOf(grams)
      .flatten(1)
      .index_select(1, pairs[0] * size + pairs[1])
      .mean(1);
}

// Shares of the total, and their standard errors, from what each direction says
// of both, [m, 4].
struct Shares {
  at::Tensor value;  // [3]
  at::Tensor error;  // [3]
};

Shares SharesOf(const at::Tensor& squares, int64_t width) {
  const at::Tensor mean = squares.mean(0);
  const at::Tensor value = mean.slice(0, 1) / mean[0];
  const at::Tensor changes =
      (squares.slice(1, 1) - value * squares.slice(1, 0, 1)) / mean[0];
  return {.value = value, .error = ErrorOfDirections(changes, width)};
}

void WarnOfNoTokens(const at::Tensor& token_counts, ProbeResult& result) {
  for (int64_t e = 0; e < token_counts.size(0); ++e) {
    if (token_counts[e].item<double>() > 0) continue;
    result.warnings.push_back(
        absl::StrCat("expert ", e,
                     ": no token is routed to it; what experts do to its "
                     "tokens is left out of the comparison by tokens"));
  }
}

}  // namespace

ProbeResult JacobianByTokens(const std::vector<const MlpTensors*>& experts,
                             const std::vector<ActivationTerms>& sums,
                             const at::Tensor& token_counts, int64_t seed) {
  const auto count = static_cast<int64_t>(experts.size());
  const int64_t width = experts[0]->gate.shape[1];
  const at::Tensor where = token_counts.gt(0).nonzero().flatten();
  const int64_t columns = where.size(0);
  const at::Tensor directions = RandomDirections(
      width, kMostExactByTokens, std::min(kDirections, width), seed);
  Layout layout{
      .squares = {},
      .same_expert = at::zeros({count, columns, columns}, at::kDouble),
      .same_tokens = at::zeros({columns, count, count}, at::kDouble)};
  const int64_t bytes = count * std::max<int64_t>(columns, 1) * width *
                        static_cast<int64_t>(directions.element_size());
  for (const at::Tensor& some :
       directions.split(std::max<int64_t>(1, kMaxSketchBytes / bytes))) {
    const at::Tensor sketch = Sketch(experts, sums, where, token_counts, some);
    for (int64_t j = 0; j < some.size(0); ++j) {
      AddDirection(sketch.select(2, j).to(at::kDouble), layout);
    }
  }
  const Shares shares = SharesOf(at::stack(layout.squares), width);
  at::Tensor same_tokens =
      at::full({count}, std::numeric_limits<double>::quiet_NaN(), at::kDouble);
  same_tokens.index_copy_(0, where, MeanCosines(layout.same_tokens));
  ProbeResult result;
  const auto add = [&](const char* name, const at::Tensor& value) {
    result.arrays.push_back(
        {.name = name, .probe = "jacobian/by_tokens", .array = ToArray(value)});
  };
  add("jacobian_variance_shares", shares.value);
  add("jacobian_variance_shares/error", shares.error);
  add("jacobian_by_tokens/cosine_same_expert", MeanCosines(layout.same_expert));
  add("jacobian_by_tokens/cosine_same_tokens", same_tokens);
  WarnOfNoTokens(token_counts, result);
  return result;
}

}  // namespace moeprobe

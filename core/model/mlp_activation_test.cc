#include "core/model/mlp_activation.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <numbers>
#include <optional>
#include <tuple>

#include "core/checkpoint/model_config.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

// Two groups of tokens take turns: one is longer than what the kernel sums in
// float32.
constexpr int64_t kTokensPerGroup = 300;
constexpr int64_t kGroups = 2;

struct Block {
  at::Tensor gate;
  std::optional<at::Tensor> up;
  at::Tensor rows, output;
  TokenWeights tokens;
};

// The type of the numbers and the kind of MLP.
using Parameter = std::tuple<at::ScalarType, ExpertKind>;

// `n` tokens, a third of which have an output row.
Block RandomBlock(int64_t n, int64_t width, const Parameter& parameter) {
  const auto [type, kind] = parameter;
  at::manual_seed(3);
  Block block{.gate = (at::randn({n, width}) * 3).to(type),
              .up = at::randn({n, width}).to(type),
              .rows = at::full({n}, -1, at::kLong),
              .output = at::zeros({(n + 2) / 3, width}, type),
              .tokens = {.weights = at::rand({3, n}),
                         .groups = at::arange(n, at::kLong)
                                       .div(kTokensPerGroup, "floor")
                                       .remainder(kGroups)}};
  block.rows.slice(0, 0, n, 3).copy_(at::arange((n + 2) / 3));
  if (kind == ExpertKind::kGeluMlp) block.up.reset();
  return block;
}

ActivationSums SumsOf(const Block& block) {
  const int64_t width = block.gate.size(1);
  ActivationSums sums =
      ZeroActivationSums(kGroups, block.tokens.weights.size(0),
                         {.slope = width, .value = block.up ? width : 0});
  ApplyActivation(block.gate, block.up, block.rows, block.output, block.tokens,
                  &sums);
  return sums;
}

// What each place has, one operation at a time in float64, [n, f].
struct Places {
  at::Tensor product, slope, value;
};

Places PlacesOf(const Block& block) {
  const at::Tensor g = block.gate.to(at::kDouble);
  if (!block.up) {
    const at::Tensor below = (g / std::numbers::sqrt2).erf().add(1).div(2);
    const at::Tensor density =
        (-g * g / 2).exp() * (std::numbers::inv_sqrtpi / std::numbers::sqrt2);
    return {.product = g * below,
            .slope = below + g * density,
            .value = g.slice(1, 0, 0)};
  }
  const at::Tensor u = block.up->to(at::kDouble);
  const at::Tensor s = g.sigmoid();
  return {
      .product = g * s * u, .slope = s * (1 + g * (1 - s)) * u, .value = g * s};
}

// What the kernel should find.
ActivationSums Expected(const Block& block) {
  const Places places = PlacesOf(block);
  const at::Tensor member = block.tokens.groups.unsqueeze(0).eq(
      at::arange(kGroups, at::kLong).unsqueeze(1));  // [groups, n]
  const at::Tensor weights =
      block.tokens.weights.to(at::kDouble) * member.unsqueeze(1);
  return {.slope = weights.matmul(places.slope),
          .value = weights.matmul(places.value)};
}

double MaxDistance(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  if (a.numel() == 0) return 0;
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

class MlpActivationTest : public testing::TestWithParam<Parameter> {};

TEST_P(MlpActivationTest, SumsWhatTheFormulaSays) {
  // Neither count is a multiple of the kernel's tiles.
  const Block block = RandomBlock(1001, 77, GetParam());
  const ActivationSums sums = SumsOf(block);
  const ActivationSums expected = Expected(block);
  // 1001 terms of size about 1, each with a float32 rounding, which mostly
  // cancel.
  EXPECT_LT(MaxDistance(sums.slope, expected.slope), 1e-3);
  EXPECT_LT(MaxDistance(sums.value, expected.value), 1e-3);
}

TEST_P(MlpActivationTest, WritesTheProductOfTokensThatHaveARow) {
  const Block block = RandomBlock(100, 70, GetParam());
  SumsOf(block);
  const at::Tensor expected = PlacesOf(block).product.slice(0, 0, 100, 3);
  // One rounding to the output's type, of numbers up to about 30.
  const double epsilon = std::get<0>(GetParam()) == at::kFloat ? 1e-5 : 0.13;
  EXPECT_LT(MaxDistance(block.output, expected), epsilon);
}

TEST_P(MlpActivationTest, WritesTheSameProductWithoutSums) {
  const Block block = RandomBlock(100, 70, GetParam());
  SumsOf(block);
  const at::Tensor expected = block.output.clone();
  block.output.zero_();
  ApplyActivation(block.gate, block.up, block.rows, block.output, {}, nullptr);
  EXPECT_TRUE(block.output.equal(expected));
}

TEST_P(MlpActivationTest, DoesNotDependOnTheNumberOfThreads) {
  const Block block = RandomBlock(500, 1000, GetParam());
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const ActivationSums one = SumsOf(block);
  at::set_num_threads(2);
  const ActivationSums two = SumsOf(block);
  at::set_num_threads(before);
  EXPECT_TRUE(one.slope.equal(two.slope));
  EXPECT_TRUE(one.value.equal(two.value));
}

TEST_P(MlpActivationTest, WritesTheTermsOfSomeColumns) {
  const Block block = RandomBlock(100, 70, GetParam());
  const ActivationTerms terms = TermsOf(block.gate, block.up, 5, 42);
  const Places places = PlacesOf(block);
  // A few float32 roundings of numbers up to about 30.
  EXPECT_LT(MaxDistance(terms.slope, places.slope.slice(1, 5, 42)), 1e-5);
  EXPECT_LT(MaxDistance(terms.value, places.value.slice(1, 5, 42)), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, MlpActivationTest,
    testing::Combine(testing::Values(at::kFloat, at::kBFloat16),
                     testing::Values(ExpertKind::kGatedMlp,
                                     ExpertKind::kGeluMlp)));

class ActivationRangeTest : public testing::TestWithParam<ExpertKind> {};

TEST_P(ActivationRangeTest, IsExactToAFewRoundingsForAnyInput) {
  Block block{.gate = at::linspace(-200, 200, 4001).unsqueeze(0).contiguous(),
              .up = at::full({1, 4001}, 1.0),
              .rows = at::zeros({1}, at::kLong),
              .output = at::zeros({1, 4001}),
              .tokens = {.weights = at::full({1, 1}, 1.0),
                         .groups = at::zeros({1}, at::kLong)}};
  if (GetParam() == ExpertKind::kGeluMlp) block.up.reset();
  const ActivationSums sums = SumsOf(block);
  const ActivationSums expected = Expected(block);
  EXPECT_LT(MaxDistance(sums.slope, expected.slope), 1e-5);
  EXPECT_LT(MaxDistance(sums.value, expected.value), 2e-5);
}

TEST_P(ActivationRangeTest, AddsToWhatIsThere) {
  const Block block = RandomBlock(10, 5, {at::kFloat, GetParam()});
  const ActivationSums once = SumsOf(block);
  ActivationSums twice = once;
  twice.slope = once.slope.clone();
  twice.value = once.value.clone();
  ApplyActivation(block.gate, block.up, block.rows, block.output, block.tokens,
                  &twice);
  EXPECT_LT(MaxDistance(twice.slope, once.slope * 2), 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ActivationRangeTest,
                         testing::Values(ExpertKind::kGatedMlp,
                                         ExpertKind::kGeluMlp));

}  // namespace
}  // namespace moeprobe

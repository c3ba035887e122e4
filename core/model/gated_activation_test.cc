#include "core/model/gated_activation.h"

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

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

// Two groups of tokens take turns: one is longer than what the kernel sums in
// float32.
constexpr int64_t kTokensPerGroup = 300;
constexpr int64_t kGroups = 2;

struct Block {
  at::Tensor gate, up, rows, output;
  TokenWeights tokens;
};

// `n` tokens, a third of which have an output row.
Block RandomBlock(int64_t n, int64_t width, at::ScalarType type) {
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
  return block;
}

ActivationSums SumsOf(const Block& block) {
  ActivationSums sums = ZeroActivationSums(
      kGroups, block.tokens.weights.size(0), block.gate.size(1));
  ApplyGatedActivation(block.gate, block.up, block.rows, block.output,
                       block.tokens, &sums);
  return sums;
}

// What the kernel should find, one operation at a time in float64.
ActivationSums Expected(const Block& block) {
  const at::Tensor g = block.gate.to(at::kDouble);
  const at::Tensor u = block.up.to(at::kDouble);
  const at::Tensor s = g.sigmoid();
  const at::Tensor slope = s * (1 + g * (1 - s)) * u;
  const at::Tensor member = block.tokens.groups.unsqueeze(0).eq(
      at::arange(kGroups, at::kLong).unsqueeze(1));  // [groups, n]
  const at::Tensor weights =
      block.tokens.weights.to(at::kDouble) * member.unsqueeze(1);
  return {.slope = weights.matmul(slope), .value = weights.matmul(g * s)};
}

double MaxDistance(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

class GatedActivationTest : public testing::TestWithParam<at::ScalarType> {};

TEST_P(GatedActivationTest, SumsWhatTheFormulaSays) {
  // Neither count is a multiple of the kernel's tiles.
  const Block block = RandomBlock(1001, 77, GetParam());
  const ActivationSums sums = SumsOf(block);
  const ActivationSums expected = Expected(block);
  // 1001 terms of size about 1, each with a float32 rounding, which mostly
  // cancel.
  EXPECT_LT(MaxDistance(sums.slope, expected.slope), 1e-3);
  EXPECT_LT(MaxDistance(sums.value, expected.value), 1e-3);
}

TEST_P(GatedActivationTest, WritesTheProductOfTokensThatHaveARow) {
  const Block block = RandomBlock(100, 70, GetParam());
  SumsOf(block);
  const at::Tensor g = block.gate.to(at::kDouble).slice(0, 0, 100, 3);
  const at::Tensor u = block.up.to(at::kDouble).slice(0, 0, 100, 3);
  const at::Tensor expected = g * g.sigmoid() * u;
  // One rounding to the output's type, of numbers up to about 30.
  const double epsilon = GetParam() == at::kFloat ? 1e-5 : 0.13;
  EXPECT_LT(MaxDistance(block.output, expected), epsilon);
}

TEST_P(GatedActivationTest, WritesTheSameProductWithoutSums) {
  const Block block = RandomBlock(100, 70, GetParam());
  SumsOf(block);
  const at::Tensor expected = block.output.clone();
  block.output.zero_();
  ApplyGatedActivation(block.gate, block.up, block.rows, block.output, {},
                       nullptr);
  EXPECT_TRUE(block.output.equal(expected));
}

TEST_P(GatedActivationTest, DoesNotDependOnTheNumberOfThreads) {
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

TEST_P(GatedActivationTest, WritesTheTermsOfSomeColumns) {
  const Block block = RandomBlock(100, 70, GetParam());
  const ActivationTerms terms = TermsOf(block.gate, block.up, 5, 42);
  const at::Tensor g = block.gate.to(at::kDouble).slice(1, 5, 42);
  const at::Tensor u = block.up.to(at::kDouble).slice(1, 5, 42);
  const at::Tensor s = g.sigmoid();
  // A few float32 roundings of numbers up to about 30.
  EXPECT_LT(MaxDistance(terms.slope, s * (1 + g * (1 - s)) * u), 1e-5);
  EXPECT_LT(MaxDistance(terms.value, g * s), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Types, GatedActivationTest,
                         testing::Values(at::kFloat, at::kBFloat16));

TEST(GatedActivationRangeTest, IsExactToAFewRoundingsForAnyInput) {
  Block block{.gate = at::linspace(-200, 200, 4001).unsqueeze(0).contiguous(),
              .up = at::full({1, 4001}, 1.0),
              .rows = at::zeros({1}, at::kLong),
              .output = at::zeros({1, 4001}),
              .tokens = {.weights = at::full({1, 1}, 1.0),
                         .groups = at::zeros({1}, at::kLong)}};
  const ActivationSums sums = SumsOf(block);
  const ActivationSums expected = Expected(block);
  EXPECT_LT(MaxDistance(sums.slope, expected.slope), 1e-5);
  EXPECT_LT(MaxDistance(sums.value, expected.value), 2e-5);
}

TEST(GatedActivationRangeTest, AddsToWhatIsThere) {
  const Block block = RandomBlock(10, 5, at::kFloat);
  const ActivationSums once = SumsOf(block);
  ActivationSums twice = once;
  twice.slope = once.slope.clone();
  twice.value = once.value.clone();
  ApplyGatedActivation(block.gate, block.up, block.rows, block.output,
                       block.tokens, &twice);
  EXPECT_LT(MaxDistance(twice.slope, once.slope * 2), 1e-12);
}

}  // namespace
}  // namespace moeprobe

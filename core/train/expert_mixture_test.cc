#include "core/train/expert_mixture.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

#include "core/train/expert_rows.h"
#include "core/train/parameters.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using torch::autograd::variable_list;

constexpr int64_t kTokens = 29, kExperts = 4, kWidth = 6, kHidden = 21;

double MaxDistance(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

struct Block {
  ExpertParameters experts;
  at::Tensor x, gates, chosen;  // chosen undefined: all experts
};

at::Tensor Leaf(at::IntArrayRef sizes) {
  return at::randn(sizes).requires_grad_();
}

// Expert 2 gets no token where they choose.
Block RandomBlock(bool is_gated, bool is_soft) {
  at::manual_seed(2);
  Block block;
  block.experts.up = Leaf({kExperts, kHidden, kWidth});
  block.experts.down = Leaf({kExperts, kHidden, kWidth});
  if (is_gated) {
    block.experts.gate = Leaf({kExperts, kHidden, kWidth});
  } else {
    block.experts.up_bias = Leaf({kExperts, kHidden});
  }
  block.x = Leaf({kTokens, kWidth});
  block.gates = at::rand({kTokens, is_soft ? kExperts : 2}).requires_grad_();
  if (!is_soft) {
    block.chosen = at::zeros({kTokens, 2}, at::kLong);
    block.chosen.select(1, 0).copy_(at::randint(2, {kTokens}, at::kLong));
    block.chosen.select(1, 1).fill_(3);
  }
  return block;
}

ExpertRows RowsOf(const Block& block) {
  return block.chosen.defined() ? ExpertRows::Chosen(block.chosen, kExperts)
                                : ExpertRows::All(block.x.size(0), kExperts);
}

// Every expert on every token, in float64, by autograd.
at::Tensor Naive(const Block& block) {
  const ExpertParameters& experts = block.experts;
  at::Tensor gates = block.gates.to(at::kDouble);
  if (block.chosen.defined()) {
    gates = at::zeros({kTokens, kExperts}, at::kDouble)
                .scatter(1, block.chosen, gates);
  }
  const at::Tensor x = block.x.to(at::kDouble);
  at::Tensor y = at::zeros_like(x);
  for (int64_t e = 0; e < kExperts; ++e) {
    const auto part = [e](const at::Tensor& stack) {
      return stack.defined() ? stack[e].to(at::kDouble) : at::Tensor();
    };
    const at::Tensor up =
        at::linear(x, part(experts.up), part(experts.up_bias));
    const at::Tensor value =
        experts.gate.defined()
            ? at::silu(at::linear(x, part(experts.gate))) * up
            : at::gelu(up);
    y = y + value.mm(part(experts.down)) * gates.select(1, e).unsqueeze(1);
  }
  return y;
}

variable_list LeavesOf(const Block& block) {
  variable_list leaves{block.x, block.gates, block.experts.up,
                       block.experts.down};
  leaves.push_back(block.experts.gate.defined() ? block.experts.gate
                                                : block.experts.up_bias);
  return leaves;
}

// Whether experts are gated, and whether every token goes through all.
using Case = std::tuple<bool, bool>;

class ExpertMixtureTest : public testing::TestWithParam<Case> {
 protected:
  Block block_ = RandomBlock(std::get<0>(GetParam()), std::get<1>(GetParam()));
};

// Outputs are sums of some hundred products of size about 5 in float32.
TEST_P(ExpertMixtureTest, ComputesWhatEveryExpertOnEveryTokenWould) {
  const at::Tensor y =
      MixExperts(block_.x, block_.gates, RowsOf(block_), block_.experts);
  EXPECT_LT(MaxDistance(y, Naive(block_)), 1e-4);
}

TEST_P(ExpertMixtureTest, HasTheGradientThatAutogradFinds) {
  const at::Tensor dy = at::randn({kTokens, kWidth});
  const at::Tensor y =
      MixExperts(block_.x, block_.gates, RowsOf(block_), block_.experts);
  const variable_list leaves = LeavesOf(block_);
  const variable_list found = torch::autograd::grad({y}, leaves, {dy});
  const variable_list expected =
      torch::autograd::grad({Naive(block_)}, leaves, {dy.to(at::kDouble)});
  for (size_t i = 0; i < leaves.size(); ++i) {
    const auto size = expected[i].abs().max().item<double>();
    EXPECT_LT(MaxDistance(found[i], expected[i]), 2e-6 * (1 + size)) << i;
  }
}

// A token's output does not depend on which other tokens there are, but for
// the rounding of products of other shapes.
TEST_P(ExpertMixtureTest, TreatsTokensOneByOne) {
  const at::Tensor all =
      MixExperts(block_.x, block_.gates, RowsOf(block_), block_.experts);
  Block some = block_;
  some.x = block_.x.slice(0, 3, 8);
  some.gates = block_.gates.slice(0, 3, 8);
  if (some.chosen.defined()) some.chosen = block_.chosen.slice(0, 3, 8);
  EXPECT_LT(
      MaxDistance(MixExperts(some.x, some.gates, RowsOf(some), some.experts),
                  all.slice(0, 3, 8)),
      1e-4);
}

TEST_P(ExpertMixtureTest, GivesTheSameBytesAgain) {
  const at::Tensor dy = at::randn({kTokens, kWidth});
  const auto gradients = [&] {
    return torch::autograd::grad(
        {MixExperts(block_.x, block_.gates, RowsOf(block_), block_.experts)},
        LeavesOf(block_), {dy});
  };
  const variable_list first = gradients(), second = gradients();
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_TRUE(first[i].equal(second[i]));
  }
}

// Wide enough for several blocks: the gradients of one expert are sums over
// them.
TEST_P(ExpertMixtureTest, AddsUpItsBlocks) {
  constexpr int64_t kWide = 40000;
  for (at::Tensor* stack : {&block_.experts.up, &block_.experts.down,
                            &block_.experts.gate, &block_.experts.up_bias}) {
    if (!stack->defined()) continue;
    std::vector<int64_t> sizes = stack->sizes().vec();
    sizes[1] = kWide;
    *stack = (at::randn(sizes) / 200).requires_grad_();
  }
  ASSERT_GT(RowsOf(block_).Blocks(kWide).size(), 4U);
  const at::Tensor y =
      MixExperts(block_.x, block_.gates, RowsOf(block_), block_.experts);
  EXPECT_LT(MaxDistance(y, Naive(block_)), 1e-4);
  const variable_list leaves = LeavesOf(block_);
  const variable_list found = torch::autograd::grad({y.sum()}, leaves);
  const variable_list expected =
      torch::autograd::grad({Naive(block_).sum()}, leaves);
  for (size_t i = 0; i < leaves.size(); ++i) {
    const auto size = expected[i].abs().max().item<double>();
    EXPECT_LT(MaxDistance(found[i], expected[i]), 2e-6 * (1 + size)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(GatedAndSoft, ExpertMixtureTest,
                         testing::Combine(testing::Bool(), testing::Bool()));

TEST(ExpertRowsTest, GivesEachExpertItsTokens) {
  const at::Tensor chosen = RandomBlock(false, false).chosen;
  const auto ones = chosen.select(1, 0).sum().item<int64_t>();
  const auto blocks = ExpertRows::Chosen(chosen, kExperts).Blocks(kHidden);
  ASSERT_EQ(blocks.size(), 3U);  // expert 2 has none
  EXPECT_EQ(blocks[0].end, kTokens - ones);
  EXPECT_EQ(blocks[1].end - blocks[1].begin, ones);
  EXPECT_EQ(blocks[2].first_expert, 3);
  EXPECT_EQ(blocks[2].end, 2 * kTokens);
}

TEST(ExpertRowsTest, CutsWhatIsLargeIntoBlocks) {
  const auto blocks = ExpertRows::All(1000, 8).Blocks(256);
  ASSERT_EQ(blocks.size(), 4U);  // 2^19 numbers are 256 tokens
  EXPECT_EQ(blocks[2].begin, 512);
  EXPECT_EQ(blocks[3].end, 1000);
  EXPECT_EQ(blocks[3].expert_count, 8);
}

TEST(ExpertRowsTest, PutsBackWhatItSpread) {
  const Block block = RandomBlock(false, false);
  const ExpertRows rows = RowsOf(block);
  const at::Tensor x = at::randn({kTokens, kWidth});
  EXPECT_TRUE(rows.Combine(rows.Spread(x)).equal(x + x));
}

TEST(ChosenExpertsTest, LeaveAnExpertWithoutTokensWithoutAGradient) {
  const Block block = RandomBlock(false, false);
  const at::Tensor y =
      MixExperts(block.x, block.gates, RowsOf(block), block.experts);
  const variable_list gradients = torch::autograd::grad(
      {y.sum()}, {block.experts.up, block.experts.up_bias, block.experts.down});
  for (const at::Tensor& gradient : gradients) {
    EXPECT_EQ(gradient[2].abs().max().item<float>(), 0);
    EXPECT_GT(gradient[3].abs().max().item<float>(), 0);
  }
}

}  // namespace
}  // namespace moeprobe

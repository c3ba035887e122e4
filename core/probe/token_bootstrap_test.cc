#include "core/probe/token_bootstrap.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/probe/probe_result.h"
#include "core/significance/bootstrap_counts.h"
#include "core/significance/window_groups.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr int64_t kDraws = 200;

std::vector<double> Numbers(const ProbeResult& result,
                            const std::string& name) {
  for (const NamedArray& named : result.arrays) {
    if (named.name != name) continue;
    EXPECT_EQ(named.probe, "nulls/q");
    std::vector<double> numbers(named.array.bytes.size() / sizeof(double));
    std::memcpy(numbers.data(), named.array.bytes.data(),
                named.array.bytes.size());
    return numbers;
  }
  ADD_FAILURE() << "no array " << name;
  return {};
}

at::Tensor Tokens(int64_t begin, int64_t end) {
  return at::arange(begin, end, at::kLong);
}

// 20 windows of 4 tokens.
class TokenBootstrapTest : public testing::Test {
 protected:
  TokenBootstrapTest() { at::manual_seed(8); }

  ProbeResult Run(const std::vector<TokenValues>& experts) const {
    ProbeResult result;
    bootstrap_.Add("q", "nulls/q", experts, result);
    return result;
  }

  const WindowGroups groups_ = GroupWindows(80, 4);
  const TokenBootstrap bootstrap_{groups_, kDraws, /*seed=*/3};
};

TEST_F(TokenBootstrapTest, ResamplesTokensWithTheirWindows) {
  const at::Tensor first = at::randn({80}, at::kDouble);
  const at::Tensor second = at::randn({30}, at::kDouble);
  const std::vector<double> draws =
      Numbers(Run({{.tokens = Tokens(0, 80), .values = first},
                   {.tokens = Tokens(50, 80), .values = second}}),
              "q/bootstrap_draws");
  ASSERT_EQ(draws.size(), kDraws);
  const at::Tensor counts = BootstrapCounts(groups_.count, kDraws, 3);
  for (const int64_t draw : {0, 7, 199}) {
    // Windows written out as often as they were drawn.
    const auto naive = [&](const at::Tensor& values, int64_t begin) {
      double sum = 0, count = 0;
      for (int64_t i = 0; i < values.size(0); ++i) {
        const auto times = counts[draw][(begin + i) / 4].item<double>();
        sum += times * values[i].item<double>();
        count += times;
      }
      return sum / count;
    };
    EXPECT_NEAR(draws[static_cast<size_t>(draw)],
                (naive(first, 0) + naive(second, 50)) / 2, 1e-12);
  }
}

TEST_F(TokenBootstrapTest, IntervalHoldsTheMeanAndNarrowsToItWhereAllAgree) {
  const at::Tensor values = at::randn({80}, at::kDouble);
  const ProbeResult result = Run({{.tokens = Tokens(0, 80), .values = values}});
  const std::vector<double> interval = Numbers(result, "q/interval");
  EXPECT_LT(interval[0], values.mean().item<double>());
  EXPECT_GT(interval[1], values.mean().item<double>());
  // Independent values: the classical standard error, to a fifth.
  EXPECT_NEAR(Numbers(result, "q/se")[0] /
                  (values.std().item<double>() / std::sqrt(80.0)),
              1, 0.2);
  const ProbeResult same = Run(
      {{.tokens = Tokens(0, 80), .values = at::full({80}, 2.0, at::kDouble)}});
  EXPECT_NEAR(Numbers(same, "q/interval")[0], 2, 1e-12);
  EXPECT_NEAR(Numbers(same, "q/interval")[1], 2, 1e-12);
}

TEST_F(TokenBootstrapTest, LeavesOutExpertsWithoutAValue) {
  const TokenValues good{.tokens = Tokens(0, 80),
                         .values = at::randn({80}, at::kDouble)};
  TokenValues broken{.tokens = Tokens(0, 5),
                     .values = at::randn({5}, at::kDouble)};
  broken.values[2] = std::numeric_limits<double>::quiet_NaN();
  const TokenValues unused{.tokens = Tokens(0, 0),
                           .values = at::empty({0}, at::kDouble)};
  EXPECT_EQ(Numbers(Run({good, broken, unused}), "q/bootstrap_draws"),
            Numbers(Run({good}), "q/bootstrap_draws"));
  EXPECT_TRUE(Run({broken, unused}).arrays.empty());
}

TEST_F(TokenBootstrapTest, LeavesOutAnExpertInDrawsWithoutItsTokens) {
  const TokenValues all{.tokens = Tokens(0, 80),
                        .values = at::full({80}, 1.0, at::kDouble)};
  const TokenValues one{.tokens = Tokens(0, 1),
                        .values = at::full({1}, 3.0, at::kDouble)};
  int without = 0;
  for (const double draw : Numbers(Run({all, one}), "q/bootstrap_draws")) {
    EXPECT_TRUE(draw == 1 || draw == 2) << draw;
    without += draw == 1 ? 1 : 0;
  }
  EXPECT_GT(without, 0);
  EXPECT_LT(without, kDraws);
}

TEST(NoTokenBootstrapTest, AddsNothing) {
  ProbeResult result;
  const std::vector<TokenValues> experts = {
      {.tokens = Tokens(0, 3), .values = at::randn({3}, at::kDouble)}};
  TokenBootstrap().Add("q", "nulls/q", experts, result);
  TokenBootstrap(GroupWindows(8, 4), 0, 0).Add("q", "nulls/q", experts, result);
  EXPECT_TRUE(result.arrays.empty());
}

}  // namespace
}  // namespace moeprobe

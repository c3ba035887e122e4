#include "core/model/router.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

std::vector<int64_t> Ids(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous().flatten();
  const auto* data = flat.const_data_ptr<int64_t>();
  return {data, data + flat.numel()};
}

// With the identity as router, the hidden state is the logits.
Routing RouteLogits(const std::vector<float>& logits, int64_t per_token,
                    bool renormalize) {
  const auto count = static_cast<int64_t>(logits.size());
  return Route(at::tensor(logits).unsqueeze(0), at::eye(count),
               {.count = count,
                .per_token = per_token,
                .width = 1,
                .renormalize = renormalize});
}

TEST(RouteTest, ChoosesTheMostProbableFirst) {
  const Routing routing = RouteLogits({0, 3, 1, 2}, 2, false);
  EXPECT_THAT(Ids(routing.chosen), testing::ElementsAre(1, 3));
}

TEST(RouteTest, BreaksTiesByTheLowestIndex) {
  EXPECT_THAT(Ids(RouteLogits({1, 2, 2, 2, 2}, 3, false).chosen),
              testing::ElementsAre(1, 2, 3));
}

TEST(RouteTest, TakesTheSoftmaxOverAllExperts) {
  const Routing routing =
      RouteLogits({0, std::numbers::ln2_v<float>, std::log(3.0F)}, 2, false);
  EXPECT_NEAR(routing.gates[0][0].item<float>(), 3.0 / 6, 1e-6);
  EXPECT_NEAR(routing.gates[0][1].item<float>(), 2.0 / 6, 1e-6);
}

TEST(RouteTest, RenormalisesOnlyWhereTheFamilyDoes) {
  const Routing routing =
      RouteLogits({0, std::numbers::ln2_v<float>, std::log(3.0F)}, 2, true);
  EXPECT_NEAR(routing.gates[0][0].item<float>(), 3.0 / 5, 1e-6);
  EXPECT_NEAR(routing.gates[0][1].item<float>(), 2.0 / 5, 1e-6);
}

TEST(GroupByExpertTest, GivesEveryChoiceToItsExpertInTheOrderOfTokens) {
  at::manual_seed(1);
  const Routing routing =
      Route(at::randn({50, 6}), at::randn({6, 6}),
            {.count = 6, .per_token = 2, .width = 1, .renormalize = true});
  const std::vector<ExpertTokens> groups = GroupByExpert(routing);
  ASSERT_EQ(groups.size(), 6);
  at::Tensor dense = at::zeros({50, 6});
  for (int64_t e = 0; e < 6; ++e) {
    const ExpertTokens& group = groups[static_cast<size_t>(e)];
    const std::vector<int64_t> tokens = Ids(group.tokens);
    EXPECT_TRUE(std::ranges::is_sorted(tokens));
    dense.select(1, e).index_copy_(0, group.tokens, group.gates);
  }
  const at::Tensor expected =
      at::zeros({50, 6}).scatter_(1, routing.chosen, routing.gates);
  EXPECT_TRUE(dense.equal(expected));
}

TEST(GroupByExpertTest, KeepsAnExpertThatNobodyChose) {
  const std::vector<ExpertTokens> groups =
      GroupByExpert(RouteLogits({5, 0, 0}, 1, true));
  ASSERT_EQ(groups.size(), 3);
  EXPECT_EQ(groups[0].tokens.size(0), 1);
  EXPECT_EQ(groups[1].tokens.size(0), 0);
}

TEST(DenseRoutingTest, SendsEveryTokenToOneExpertWithGateOne) {
  const std::vector<ExpertTokens> groups = GroupByExpert(DenseRouting(4));
  ASSERT_EQ(groups.size(), 1);
  EXPECT_THAT(Ids(groups[0].tokens), testing::ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(groups[0].gates.min().item<float>(), 1.0F);
}

}  // namespace
}  // namespace moeprobe

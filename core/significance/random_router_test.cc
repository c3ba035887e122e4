#include "core/significance/random_router.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "core/significance/routing_draws.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr int64_t kTokens = 4000;
constexpr int64_t kWidth = 24;
constexpr int64_t kExperts = 6;

class RandomRoutersTest : public testing::Test {
 protected:
  RandomRoutersTest() {
    at::manual_seed(11);
    h_ = at::randn({kTokens, kWidth}) + 3;
    router_ = at::randn({kExperts, kWidth}) * 0.2;
    counted_ = at::ones({kTokens}, at::kBool);
  }

  RoutingDraws Draw(int64_t draws, int64_t seed = 0) {
    routing_ = Route(h_, router_, rule_);
    return RandomRouters(h_, routing_, counted_, rule_, draws, seed);
  }

  at::Tensor Loads(const at::Tensor& chosen) const {
    return chosen.index_select(0, counted_.nonzero().flatten())
        .flatten()
        .bincount({}, kExperts)
        .to(at::kDouble);
  }

  at::Tensor h_, router_, counted_;
  RoutingRule rule_{.per_token = 2, .renormalize = true};
  Routing routing_;
};

TEST_F(RandomRoutersTest, HaveTheModelsLoads) {
  counted_.slice(0, 0, kTokens / 2).fill_(false);
  const RoutingDraws draws = Draw(7);
  ASSERT_EQ(draws.count(), 7);
  const at::Tensor loads = Loads(routing_.chosen);
  for (int64_t i = 0; i < draws.count(); ++i) {
    const at::Tensor error = (Loads(draws.chosen[i]) - loads).abs();
    EXPECT_LE((error / (loads + 100)).max().item<double>(), 0.01);
  }
}

TEST_F(RandomRoutersTest, GateAsTheModelDoes) {
  EXPECT_LT((Draw(3).gates.sum(-1) - 1).abs().max().item<float>(), 1e-6);
  rule_.renormalize = false;
  const RoutingDraws draws = Draw(3);
  EXPECT_LT(draws.gates.sum(-1).max().item<float>(), 1);
  // Most probable first.
  EXPECT_TRUE(draws.gates.select(-1, 0)
                  .ge(draws.gates.select(-1, 1))
                  .all()
                  .item<bool>());
  // As sharp as the model: its logits have the same deviations.
  EXPECT_NEAR(draws.gates.mean().item<float>(),
              routing_.gates.mean().item<float>(), 0.03);
}

TEST_F(RandomRoutersTest, PartitionTokensByHyperplanes) {
  rule_.per_token = 1;
  // With two experts left the border is one: routing follows a direction of h.
  router_ = at::zeros({2, kWidth});
  router_[1] = at::randn({kWidth});
  routing_ = Route(h_, router_, rule_);
  const RoutingDraws draws = RandomRouters(h_, routing_, counted_, rule_, 1, 0);
  const at::Tensor first = draws.chosen[0].flatten().eq(0);
  const at::Tensor a = h_.index_select(0, first.nonzero().flatten());
  const at::Tensor b = h_.index_select(0, (~first).nonzero().flatten());
  // Direction between the means separates the two but for sampling noise.
  const at::Tensor direction = a.mean(0) - b.mean(0);
  const auto separation = ((a.mv(direction).mean() - b.mv(direction).mean()) /
                           h_.mv(direction).std())
                              .item<double>();
  EXPECT_GT(separation, 1.5);  // 0 for a routing unrelated to content
}

TEST_F(RandomRoutersTest, DependOnSeedAndIndexAloneNotOnThreads) {
  const RoutingDraws draws = Draw(5);
  at::set_num_threads(1);
  const RoutingDraws single = Draw(5);
  at::set_num_threads(2);
  EXPECT_TRUE(draws.chosen.equal(single.chosen));
  EXPECT_TRUE(draws.chosen.slice(0, 0, 2).equal(Draw(2).chosen));
  EXPECT_FALSE(draws.chosen.equal(Draw(5, 1).chosen));
  EXPECT_FALSE(draws.chosen[0].equal(draws.chosen[1]));
}

TEST_F(RandomRoutersTest, AreNoneWhereEveryTokenGoesToEveryExpert) {
  rule_.per_token = kExperts;
  EXPECT_EQ(Draw(5).count(), 0);
  rule_ = {.per_token = 1};
  router_ = at::zeros({1, kWidth});
  EXPECT_EQ(Draw(5).count(), 0);
}

TEST_F(RandomRoutersTest, RouteEqualHiddenStatesSomewhere) {
  h_ = at::ones({kTokens, kWidth});
  const RoutingDraws draws = Draw(2);
  EXPECT_TRUE(draws.gates.isfinite().all().item<bool>());
  EXPECT_GE(draws.chosen.min().item<int64_t>(), 0);
  EXPECT_LT(draws.chosen.max().item<int64_t>(), kExperts);
}

}  // namespace
}  // namespace moeprobe

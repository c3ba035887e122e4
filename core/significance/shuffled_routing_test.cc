#include "core/significance/shuffled_routing.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "core/model/router.h"
#include "core/significance/routing_draws.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr int64_t kTokens = 500;

class ShuffledRoutingTest : public testing::Test {
 protected:
  ShuffledRoutingTest() {
    at::manual_seed(2);
    routing_ =
        Route(at::randn({kTokens, 8}), at::randn({4, 8}), {.per_token = 2});
    counted_ = at::ones({kTokens}, at::kBool);
    counted_.slice(0, 0, 100).fill_(false);
  }

  static at::Tensor Sorted(const at::Tensor& gates) {
    return std::get<0>(gates.flatten().sort());
  }

  Routing routing_;
  at::Tensor counted_;
};

TEST_F(ShuffledRoutingTest, DealsOutTheModelsRows) {
  const RoutingDraws draws = ShuffledRouting(routing_, counted_, 3, 0);
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_FALSE(draws.gates[i].equal(routing_.gates));
    EXPECT_TRUE(Sorted(draws.gates[i]).equal(Sorted(routing_.gates)));
    EXPECT_TRUE(draws.chosen[i].flatten().bincount().equal(
        routing_.chosen.flatten().bincount()));
  }
}

TEST_F(ShuffledRoutingTest, KeepsAGateWithItsExpert) {
  const RoutingDraws draws = ShuffledRouting(routing_, counted_, 1, 0);
  for (int64_t e = 0; e < 4; ++e) {
    const at::Tensor drawn =
        draws.gates[0].masked_select(draws.chosen[0].eq(e));
    const at::Tensor model =
        routing_.gates.masked_select(routing_.chosen.eq(e));
    EXPECT_TRUE(Sorted(drawn).equal(Sorted(model)));
  }
}

TEST_F(ShuffledRoutingTest, LeavesTokensThatDoNotCountAlone) {
  const RoutingDraws draws = ShuffledRouting(routing_, counted_, 1, 0);
  EXPECT_TRUE(
      draws.chosen[0].slice(0, 0, 100).equal(routing_.chosen.slice(0, 0, 100)));
  EXPECT_FALSE(
      draws.chosen[0].slice(0, 100).equal(routing_.chosen.slice(0, 100)));
}

TEST_F(ShuffledRoutingTest, DependsOnSeedAndIndexAlone) {
  const RoutingDraws draws = ShuffledRouting(routing_, counted_, 4, 0);
  EXPECT_TRUE(draws.chosen.slice(0, 0, 2).equal(
      ShuffledRouting(routing_, counted_, 2, 0).chosen));
  EXPECT_FALSE(
      draws.chosen.equal(ShuffledRouting(routing_, counted_, 4, 1).chosen));
}

}  // namespace
}  // namespace moeprobe

#include "server/routing_resolution.h"

#include <cstdint>
#include <optional>

#include "core/checkpoint/model_config.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

constexpr ExpertConfig kRenormalizing{
    .count = 8, .per_token = 2, .renormalize = true};
constexpr ExpertConfig kPlain{.count = 8, .per_token = 2};

std::optional<v1::RoutingRule> Rule(const v1::RoutingSpec& asked,
                                    const ExpertConfig& experts) {
  Violations violations;
  const v1::RoutingSpec routing = ResolveRouting(asked, experts, violations);
  EXPECT_TRUE(violations.empty());
  return RuleOf(routing, experts);
}

TEST(RuleOfTest, IsNoneWhereItIsTheModelsOwn) {
  v1::RoutingSpec routing;
  EXPECT_FALSE(Rule(routing, kPlain).has_value());
  routing.set_forward(v1::FORWARD_GATES_OWN);
  EXPECT_FALSE(Rule(routing, kPlain).has_value());
  routing.set_top_k(2);
  routing.set_temperature(1);
  EXPECT_FALSE(Rule(routing, kPlain).has_value());
  routing.set_normalize(v1::GATE_NORMALIZATION_ALWAYS);
  EXPECT_FALSE(Rule(routing, kRenormalizing).has_value());
  EXPECT_TRUE(Rule(routing, kPlain).has_value());
  routing.set_temperature(1.0000001);
  EXPECT_TRUE(Rule(routing, kRenormalizing).has_value());
}

TEST(RuleOfTest, ScalesTheTemperatureThatIsTheModelsOwn) {
  const ExpertConfig cool{.count = 8, .per_token = 2, .temperature = 0.5};
  v1::RoutingSpec routing;
  EXPECT_FALSE(Rule(routing, cool).has_value());
  routing.set_temperature(1);
  EXPECT_FALSE(Rule(routing, cool).has_value());
  routing.set_temperature(2);
  EXPECT_EQ(Rule(routing, cool)->temperature(), 1);
}

TEST(RuleOfTest, TakesEveryScoreOfAllExpertsAsItIs) {
  v1::RoutingSpec routing;
  routing.set_select(v1::ROUTING_SELECTION_ALL);
  routing.set_normalize(v1::GATE_NORMALIZATION_ALWAYS);
  const std::optional<v1::RoutingRule> rule = Rule(routing, kRenormalizing);
  ASSERT_TRUE(rule.has_value());
  EXPECT_EQ(rule->expert_count(), 8);
  EXPECT_FALSE(rule->renormalize());
  EXPECT_TRUE(rule->in_forward_pass());
}

TEST(RuleOfTest, RenormalisesWhereTheModelOrTheRequestDoes) {
  v1::RoutingSpec routing;
  routing.set_top_k(3);
  EXPECT_TRUE(Rule(routing, kRenormalizing)->renormalize());
  EXPECT_FALSE(Rule(routing, kPlain)->renormalize());
  routing.set_normalize(v1::GATE_NORMALIZATION_ALWAYS);
  EXPECT_TRUE(Rule(routing, kPlain)->renormalize());
}

}  // namespace
}  // namespace moeprobe

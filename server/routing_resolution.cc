#include "server/routing_resolution.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/checkpoint/model_config.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/choice.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

void CheckValues(const v1::RoutingSpec& routing, Violations& violations) {
  CheckChoice(routing.select(), "routing.select", violations);
  CheckChoice(routing.normalize(), "routing.normalize", violations);
  CheckChoice(routing.forward(), "routing.forward", violations);
  const double temperature = routing.temperature();
  if (!(temperature > 0) || !std::isfinite(temperature)) {
    violations.Add("routing.temperature",
                   absl::StrCat(temperature, ", expected a number above 0"));
  }
}

void ResolveCount(const ExpertConfig& experts, v1::RoutingSpec& routing,
                  Violations& violations) {
  if (routing.select() == v1::ROUTING_SELECTION_ALL) {
    if (routing.has_top_k()) {
      violations.Add("routing.top_k",
                     "has no meaning where select is all, expected one of the "
                     "two");
    }
    return;
  }
  if (!routing.has_top_k()) {
    routing.set_top_k(static_cast<int32_t>(experts.per_token));
  }
  if (routing.top_k() < 1 || routing.top_k() > experts.count) {
    violations.Add(
        "routing.top_k",
        absl::StrCat(routing.top_k(), " is out of range, expected 1 to ",
                     experts.count, ", the model's experts"));
  }
}

}  // namespace

v1::RoutingSpec ResolveRouting(const v1::RoutingSpec& asked,
                               const ExpertConfig& experts,
                               Violations& violations) {
  v1::RoutingSpec routing = asked;
  if (experts.count == 0) {
    violations.Add("routing", "the model is dense, there is nothing to route");
    return routing;
  }
  if (!asked.has_temperature()) routing.set_temperature(1);
  if (asked.select() == v1::ROUTING_SELECTION_UNSPECIFIED) {
    routing.set_select(v1::ROUTING_SELECTION_TOP_K);
  }
  if (asked.normalize() == v1::GATE_NORMALIZATION_UNSPECIFIED) {
    routing.set_normalize(v1::GATE_NORMALIZATION_MODEL);
  }
  if (asked.forward() == v1::FORWARD_GATES_UNSPECIFIED) {
    routing.set_forward(v1::FORWARD_GATES_CHANGED);
  }
  CheckValues(routing, violations);
  ResolveCount(experts, routing, violations);
  return routing;
}

std::optional<v1::RoutingRule> RuleOf(const v1::RoutingSpec& routing,
                                      const ExpertConfig& experts) {
  const bool all = routing.select() == v1::ROUTING_SELECTION_ALL;
  v1::RoutingRule rule;
  rule.set_expert_count(all ? experts.count : routing.top_k());
  // All scores sum to 1 already.
  rule.set_renormalize(!all &&
                       (experts.renormalize ||
                        routing.normalize() == v1::GATE_NORMALIZATION_ALWAYS));
  // The model's own is part of its rule: 1 leaves it as it is.
  rule.set_temperature(routing.temperature() * experts.temperature);
  rule.set_in_forward_pass(routing.forward() == v1::FORWARD_GATES_CHANGED);
  const bool is_own = rule.expert_count() == experts.per_token &&
                      rule.renormalize() == experts.renormalize &&
                      rule.temperature() == experts.temperature;
  if (is_own) return std::nullopt;
  return rule;
}

}  // namespace moeprobe

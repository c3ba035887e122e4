#ifndef MOEPROBE_CORE_MODEL_ROUTING_RULE_H_
#define MOEPROBE_CORE_MODEL_ROUTING_RULE_H_

#include <cstdint>
#include <optional>

#include "core/checkpoint/model_config.h"

namespace moeprobe {

// How tokens choose experts, and what becomes their gates: scores are the
// softmax of logits / temperature over all E experts; a token goes to the
// per_token largest, and their scores are its gates, renormalised or not.
// With per_token = E and not renormalised this is soft routing (eq. 11).
struct RoutingRule {
  int64_t per_token = 0;     // k, 1 to E
  bool renormalize = false;  // whether the k gates are divided by their sum
  double temperature = 1;    // above 0, finite
};

// Returns the rule that a model was trained with.
inline RoutingRule OwnRule(const ExpertConfig& config) {
  return {.per_token = config.per_token,
          .renormalize = config.renormalize,
          .temperature = config.temperature};
}

// Counterfactual routing (SPEC): the same parameters, other gates.
struct RoutingChange {
  RoutingRule rule;
  // Whether the changed gates act in every layer of the forward pass, too;
  // otherwise only the statistics use them.
  bool forward = true;
};

// Returns the rule that tokens pass through the layers by.
inline RoutingRule ForwardRule(const ExpertConfig& config,
                               const std::optional<RoutingChange>& change) {
  return change && change->forward ? change->rule : OwnRule(config);
}

// Returns the rule that statistics are taken by.
inline RoutingRule ProbedRule(const ExpertConfig& config,
                              const std::optional<RoutingChange>& change) {
  return change ? change->rule : OwnRule(config);
}

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_ROUTING_RULE_H_

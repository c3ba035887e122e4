#ifndef MOEPROBE_SERVER_ROUTING_RESOLUTION_H_
#define MOEPROBE_SERVER_ROUTING_RESOLUTION_H_

#include <optional>

#include "core/checkpoint/model_config.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/violations.h"

namespace moeprobe {

// Returns `asked` with every default filled in, for a model with `experts`;
// top_k stays unset where all are selected. What is wrong goes to `violations`.
v1::RoutingSpec ResolveRouting(const v1::RoutingSpec& asked,
                               const ExpertConfig& experts,
                               Violations& violations);

// Returns the rule that resolved `routing` makes of a model with `experts`, one
// for all requests that mean the same; nullopt where it is the model's own.
std::optional<v1::RoutingRule> RuleOf(const v1::RoutingSpec& routing,
                                      const ExpertConfig& experts);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ROUTING_RESOLUTION_H_

#ifndef MOEPROBE_CORE_CHECKPOINT_LAYER_SCHEDULE_H_
#define MOEPROBE_CORE_CHECKPOINT_LAYER_SCHEDULE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "core/checkpoint/config_fields.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/model_family.h"

namespace moeprobe {

// Returns the rules of a model's experts; nullptr where it is dense.
const MoeRules* FindMoeRules(const ConfigFields& fields,
                             const ModelFamily& family);

// Returns what each decoder layer is: routed or dense, and how far it sees.
//
// Errors: InvalidArgument for missing keys, wrong types and impossible values;
// Unimplemented for kinds of layers other than full and sliding attention.
absl::StatusOr<std::vector<LayerConfig>> ParseLayers(const ConfigFields& fields,
                                                     const ModelFamily& family);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_LAYER_SCHEDULE_H_

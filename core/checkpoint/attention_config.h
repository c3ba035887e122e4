#ifndef MOEPROBE_CORE_CHECKPOINT_ATTENTION_CONFIG_H_
#define MOEPROBE_CORE_CHECKPOINT_ATTENTION_CONFIG_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "core/checkpoint/config_fields.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/model_family.h"

namespace moeprobe {

// Returns the attention of a model of this `width`.
//
// Errors: InvalidArgument for missing keys, wrong types and impossible values;
// those of ParseRopeTheta.
absl::StatusOr<AttentionConfig> ParseAttention(const ConfigFields& fields,
                                               const ModelFamily& family,
                                               int64_t width);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_ATTENTION_CONFIG_H_

#ifndef MOEPROBE_CORE_CHECKPOINT_ROPE_CONFIG_H_
#define MOEPROBE_CORE_CHECKPOINT_ROPE_CONFIG_H_

#include "absl/status/statusor.h"
#include "core/checkpoint/config_fields.h"
#include "core/checkpoint/model_family.h"

namespace moeprobe {

// Returns the base of the rotary position embedding: rope_theta at the top
// level, or in rope_parameters or rope_scaling, which must be of type default.
//
// Errors: InvalidArgument for a missing or impossible value; Unimplemented, by
// name, for any scaling, a partial rotation, or parameters by layer type.
absl::StatusOr<double> ParseRopeTheta(const ConfigFields& fields,
                                      const ModelFamily& family);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_ROPE_CONFIG_H_

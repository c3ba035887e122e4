#ifndef MOEPROBE_CORE_TRAIN_TRAINING_CONFIG_H_
#define MOEPROBE_CORE_TRAIN_TRAINING_CONFIG_H_

#include <string>

#include "absl/status/status.h"
#include "core/train/training_options.h"

namespace moeprobe {

// Returns Unimplemented if the family of a decoder of gated experts, Mixtral's,
// has no place for its routing: gates that are not divided by their sum, or a
// temperature other than 1.
absl::Status CheckFamily(const TrainingOptions& options);

// Returns the text of the config.json of a model, of a family by its experts:
// Mixtral's where they are gated, with all experts per token for soft routing;
// Llama's for its dense counterpart; moeprobe's own where they have two layers,
// and for models without attention.
// Options are ones that CheckFamily accepts. The same options give the same
// text.
std::string ConfigText(const TrainingOptions& options);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_TRAINING_CONFIG_H_

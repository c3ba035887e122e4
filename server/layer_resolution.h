#ifndef MOEPROBE_SERVER_LAYER_RESOLUTION_H_
#define MOEPROBE_SERVER_LAYER_RESOLUTION_H_

#include <cstdint>

#include "moeprobe/v1/analysis.pb.h"
#include "server/violations.h"

namespace moeprobe {

// Returns the layers that `selection` names in a model with `layer_count`
// layers, one by one. What is wrong goes to `violations`.
v1::LayerSelection ResolveLayers(const v1::LayerSelection& selection,
                                 int64_t layer_count, Violations& violations);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_LAYER_RESOLUTION_H_

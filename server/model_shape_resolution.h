#ifndef MOEPROBE_SERVER_MODEL_SHAPE_RESOLUTION_H_
#define MOEPROBE_SERVER_MODEL_SHAPE_RESOLUTION_H_

#include "moeprobe/v1/training.pb.h"
#include "server/violations.h"

namespace moeprobe {

// Returns the sizes of models to train for `task`, with every default filled
// in: those of the second paper's experiments. Without attention there are no
// heads and no context. What is wrong goes to `violations`, under "model".
v1::ModelShape ResolveModelShape(const v1::ModelShape& asked,
                                 v1::TrainingTask task, Violations& violations);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_MODEL_SHAPE_RESOLUTION_H_

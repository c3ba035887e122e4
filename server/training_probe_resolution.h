#ifndef MOEPROBE_SERVER_TRAINING_PROBE_RESOLUTION_H_
#define MOEPROBE_SERVER_TRAINING_PROBE_RESOLUTION_H_

#include "moeprobe/v1/training.pb.h"
#include "server/violations.h"

namespace moeprobe {

// Returns what is computed of the models of an experiment, with every default
// filled in; `spec` has its model and data resolved. What is wrong goes to
// `violations`, under "probe".
v1::TrainingProbe ResolveTrainingProbe(const v1::TrainingProbe& asked,
                                       const v1::TrainSpec& spec,
                                       Violations& violations);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TRAINING_PROBE_RESOLUTION_H_

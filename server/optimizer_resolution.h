#ifndef MOEPROBE_SERVER_OPTIMIZER_RESOLUTION_H_
#define MOEPROBE_SERVER_OPTIMIZER_RESOLUTION_H_

#include <cstdint>

#include "moeprobe/v1/training.pb.h"
#include "server/violations.h"

namespace moeprobe {

// The most steps of a run.
inline constexpr int64_t kMostSteps = 10'000'000;

// Returns how models learn, with every default filled in. What is wrong goes to
// `violations`, under "optimizer".
v1::Optimizer ResolveOptimizer(const v1::Optimizer& asked,
                               v1::TrainingTask task, Violations& violations);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_OPTIMIZER_RESOLUTION_H_

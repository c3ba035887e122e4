#ifndef MOEPROBE_CORE_PROBE_REDUNDANCY_H_
#define MOEPROBE_CORE_PROBE_REDUNDANCY_H_

#include <cstdint>

#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"

namespace moeprobe {

// Adds to `result` which experts of a layer might stand for each other:
// OutputSimilarity and WeightOverlap, as far as they are asked for, and
// RedundancyPairs from these and from what other probes put there before.
//
// Similar is not dispensable: nothing here says what the model would lose.
void AddRedundancy(const ProbedLayer& layer, const RedundancyOptions& options,
                   int64_t seed, ProbeResult& result);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_REDUNDANCY_H_

#ifndef MOEPROBE_CORE_PIPELINE_STARTING_POINT_H_
#define MOEPROBE_CORE_PIPELINE_STARTING_POINT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/hidden_state_spill.h"
#include "core/pipeline/analyze.h"

namespace moeprobe {

// Returns where to begin: the hidden states an earlier attempt spilled, if they
// are this request's and not past the first layer to probe; else the embedding.
// `last`: the last layer that has to run.
HiddenState StartingPoint(const AnalysisRequest& request,
                          const Checkpoint& checkpoint, int64_t last);

// Spills the hidden states after a layer, if the request says where.
absl::Status SpillAfterLayer(const AnalysisRequest& request,
                             const Checkpoint& checkpoint,
                             const HiddenState& state);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PIPELINE_STARTING_POINT_H_

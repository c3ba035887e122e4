#ifndef MOEPROBE_CORE_PROBE_OUTPUT_SIMILARITY_H_
#define MOEPROBE_CORE_PROBE_OUTPUT_SIMILARITY_H_

#include <cstdint>

#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"

namespace moeprobe {

// Whether experts say the same where they are asked the same: every routed
// expert runs on one seeded sample of counted tokens, whoever they are routed
// to,
//   output_similarity [E, E]  mean over the tokens of cos(f_e(x), f_e'(x))
//   output_norm [E]           mean over the tokens of |f_e(x)|
// Weights are multiplied in float32, cosines are summed in float64.
//
// Where an expert's output is zero at a token its similarities are NaN, with a
// warning; all of them are where there is no token.
ProbeResult OutputSimilarity(const ProbedLayer& layer, int64_t token_count,
                             int64_t seed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_OUTPUT_SIMILARITY_H_

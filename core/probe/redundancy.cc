#include "core/probe/redundancy.h"

#include <cstdint>

#include "core/probe/output_similarity.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/probe/redundancy_pairs.h"
#include "core/probe/weight_overlap.h"

namespace moeprobe {

void AddRedundancy(const ProbedLayer& layer, const RedundancyOptions& options,
                   int64_t seed, ProbeResult& result) {
  if (options.tokens > 0) {
    Append(OutputSimilarity(layer, options.tokens, seed), result);
  }
  if (options.weights) {
    Append(WeightOverlap(layer.tensors, options.rank), result);
  }
  const auto count = static_cast<int64_t>(RoutedExperts(layer.tensors).size());
  Append(RedundancyPairs(result, count), result);
}

}  // namespace moeprobe

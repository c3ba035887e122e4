#ifndef MOEPROBE_CORE_PROBE_REDUNDANCY_PAIRS_H_
#define MOEPROBE_CORE_PROBE_REDUNDANCY_PAIRS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/probe/probe_result.h"

namespace moeprobe {

// Two experts, and how close they are; what is not known is NaN.
struct ExpertPair {
  int64_t first = 0;  // < second
  int64_t second = 0;
  double alignment = 0;          // of their averaged Jacobians
  double output_similarity = 0;  // on common tokens
  double distance = 0;           // of the subspaces routed to them
  double weight_overlap = 0;     // of what their weights read
};

// Returns all pairs of experts of a layer, the closest in function first.
//
// Each pair is ranked by alignment and by output similarity, equal numbers
// sharing the mean of their ranks; the order is that of the mean of the two
// ranks. A pair whose number is NaN has the last rank, and a quantity that all
// pairs lack has none. Where both lack, weight overlap takes their place. Equal
// pairs are in the order of their experts.
//
// `computed`: what probes have said of the layer so far, under names that begin
// with `prefix`. Alignment is that of `jacobian_cosine/all` where it
// is there, else of `jacobian_cosine/routed`; distance is `grassmann/routed`.
std::vector<ExpertPair> RankPairs(const ProbeResult& computed,
                                  const std::string& prefix,
                                  int64_t expert_count);

// The most pairs that are published.
inline constexpr int64_t kMostPairs = 200;

// Publishes the first kMostPairs of RankPairs:
//   redundancy_pairs [P, 2] int64
//   redundancy_scores [P, 4]  alignment, output similarity, distance, overlap
ProbeResult RedundancyPairs(const ProbeResult& computed, int64_t expert_count);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_REDUNDANCY_PAIRS_H_

#ifndef MOEPROBE_SERVER_PROBE_GROUPS_H_
#define MOEPROBE_SERVER_PROBE_GROUPS_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {

// The group of a whole model's loss, at layer -1.
inline constexpr const char* kNllGroup = "nll";

// The group of a layer's ranked pairs of experts.
inline constexpr const char* kPairsGroup = "redundancy/pairs";

// Returns the group of a layer's interventions, at layer -1: they depend on the
// whole model. "interventions/{layer}".
std::string InterventionGroup(int64_t layer);

// Returns the layer of such a group; nullopt for any other group.
std::optional<int64_t> InterventionLayer(const std::string& group);

// Returns the groups of arrays that resolved probes make at every layer:
// "routing", "jacobian/{weighting}", "jacobian/corrected/{weighting}",
// "jacobian/projected/{weighting}", "jacobian/token", "jacobian/by_tokens",
// "pca/{convention}", "pca/reference", "pca/matched", "router_term",
// "redundancy/{outputs,weights,pairs}", "spectra", and "spectra/{weighting}"
// where Jacobians are averaged as well; and those of NullGroups.
std::vector<std::string> ProbeGroups(const v1::ProbeSpec& probes,
                                     const v1::NullSpec& nulls);

// Returns which averaged Jacobians pairs of experts are ranked by; nullopt if
// none.
std::optional<v1::Weighting> WeightingOfPairs(const v1::ProbeSpec& probes);

// Whether pairs of experts have a distance between the subspaces routed to
// them.
bool ComparesRoutedSubspaces(const v1::ProbeSpec& probes);

// Returns the smallest part of resolved `probes` that makes all groups in
// `missing`, those of nulls together with NullsFor them. The redundancy report
// is made as a whole; it and interventions come with what pairs of experts are
// ranked by.
v1::ProbeSpec ProbesFor(const std::set<std::string>& missing,
                        const v1::ProbeSpec& probes);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_PROBE_GROUPS_H_

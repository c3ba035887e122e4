#ifndef MOEPROBE_SERVER_PROBE_GROUPS_H_
#define MOEPROBE_SERVER_PROBE_GROUPS_H_

#include <set>
#include <string>
#include <vector>

#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {

// The group of a whole model's loss, at layer -1.
inline constexpr const char* kNllGroup = "nll";

// Returns the groups of arrays that resolved probes make at every layer:
// "routing", "jacobian/{weighting}", "jacobian/corrected/{weighting}",
// "jacobian/projected/{weighting}", "jacobian/token", "jacobian/by_tokens",
// "pca/{convention}", "pca/reference", "pca/matched", "router_term", "spectra",
// and "spectra/{weighting}" where Jacobians are averaged as well; and those of
// NullGroups.
std::vector<std::string> ProbeGroups(const v1::ProbeSpec& probes,
                                     const v1::NullSpec& nulls);

// Returns the smallest part of resolved `probes` that makes all `groups`, those
// of nulls together with NullsFor them.
v1::ProbeSpec ProbesFor(const std::set<std::string>& groups,
                        const v1::ProbeSpec& probes);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_PROBE_GROUPS_H_

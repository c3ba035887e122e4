#include "server/probe_groups.h"

#include <set>
#include <string>
#include <vector>

#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {
namespace {

constexpr const char* kRouting = "routing";
constexpr const char* kReference = "pca/reference";

std::string GroupOf(v1::Weighting weighting) {
  switch (weighting) {
    case v1::WEIGHTING_ALL:
      return "jacobian/all";
    case v1::WEIGHTING_ROUTED:
      return "jacobian/routed";
    case v1::WEIGHTING_GATE:
      return "jacobian/gate";
    default:
      return "jacobian/unknown";
  }
}

std::string GroupOf(v1::Convention convention) {
  switch (convention) {
    case v1::CONVENTION_ROUTED:
      return "pca/routed";
    case v1::CONVENTION_ALL_TOKENS:
      return "pca/all_tokens";
    case v1::CONVENTION_SAMPLE_WEIGHTED:
      return "pca/sample_weighted";
    default:
      return "pca/unknown";
  }
}

v1::PcaProbe PcaFor(const std::set<std::string>& groups,
                    const v1::PcaProbe& asked) {
  v1::PcaProbe pca = asked;
  pca.clear_conventions();
  for (const int convention : asked.conventions()) {
    const auto value = static_cast<v1::Convention>(convention);
    if (groups.contains(GroupOf(value))) pca.add_conventions(value);
  }
  return pca.conventions().empty() ? asked : pca;
}

}  // namespace

std::vector<std::string> ProbeGroups(const v1::ProbeSpec& probes) {
  std::vector<std::string> groups;
  if (probes.has_routing()) groups.emplace_back(kRouting);
  for (const int weighting : probes.jacobian().average()) {
    groups.push_back(GroupOf(static_cast<v1::Weighting>(weighting)));
  }
  for (const int convention : probes.pca().conventions()) {
    groups.push_back(GroupOf(static_cast<v1::Convention>(convention)));
  }
  if (probes.has_pca()) groups.emplace_back(kReference);
  return groups;
}

v1::ProbeSpec ProbesFor(const std::set<std::string>& groups,
                        const v1::ProbeSpec& probes) {
  v1::ProbeSpec result;
  if (groups.contains(kRouting)) result.mutable_routing();
  for (const int weighting : probes.jacobian().average()) {
    const auto value = static_cast<v1::Weighting>(weighting);
    if (groups.contains(GroupOf(value))) {
      result.mutable_jacobian()->add_average(value);
    }
  }
  const bool any_pca = groups.lower_bound("pca/") != groups.end() &&
                       groups.lower_bound("pca/")->starts_with("pca/");
  if (any_pca) *result.mutable_pca() = PcaFor(groups, probes.pca());
  return result;
}

}  // namespace moeprobe

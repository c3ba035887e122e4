#include "server/probe_groups.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "moeprobe/v1/analysis.pb.h"
#include "server/null_groups.h"

namespace moeprobe {
namespace {

constexpr const char* kRouting = "routing";
constexpr const char* kReference = "pca/reference";
constexpr const char* kMatched = "pca/matched";
constexpr const char* kSpectra = "spectra";
constexpr const char* kRouterTerm = "router_term";

std::string_view NameOf(v1::Weighting weighting) {
  switch (weighting) {
    case v1::WEIGHTING_ALL:
      return "all";
    case v1::WEIGHTING_ROUTED:
      return "routed";
    case v1::WEIGHTING_GATE:
      return "gate";
    default:
      return "unknown";
  }
}

std::string GroupOf(v1::Weighting weighting) {
  return absl::StrCat("jacobian/", std::string(NameOf(weighting)));
}

// Singular values of averaged Jacobians.
std::string SpectraGroupOf(v1::Weighting weighting) {
  return absl::StrCat("spectra/", std::string(NameOf(weighting)));
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

bool AnyOf(const std::set<std::string>& groups, const std::string& probe) {
  return std::ranges::any_of(groups, [&](const std::string& group) {
    return group == probe || absl::StartsWith(group, probe + "/");
  });
}

// The groups that `probes` make by themselves.
std::vector<std::string> BaseGroups(const v1::ProbeSpec& probes) {
  std::vector<std::string> groups;
  if (probes.has_routing()) groups.emplace_back(kRouting);
  for (const int weighting : probes.jacobian().average()) {
    groups.push_back(GroupOf(static_cast<v1::Weighting>(weighting)));
  }
  for (const int convention : probes.pca().conventions()) {
    groups.push_back(GroupOf(static_cast<v1::Convention>(convention)));
  }
  if (probes.has_pca()) {
    groups.emplace_back(kReference);
    groups.emplace_back(kMatched);
  }
  if (probes.has_router_term()) groups.emplace_back(kRouterTerm);
  if (!probes.has_spectra()) return groups;
  groups.emplace_back(kSpectra);
  for (const int weighting : probes.jacobian().average()) {
    groups.push_back(SpectraGroupOf(static_cast<v1::Weighting>(weighting)));
  }
  return groups;
}

}  // namespace

std::vector<std::string> ProbeGroups(const v1::ProbeSpec& probes,
                                     const v1::NullSpec& nulls) {
  std::vector<std::string> groups = BaseGroups(probes);
  const std::vector<std::string> of_nulls = NullGroups(groups, nulls);
  groups.insert(groups.end(), of_nulls.begin(), of_nulls.end());
  return groups;
}

v1::ProbeSpec ProbesFor(const std::set<std::string>& asked,
                        const v1::ProbeSpec& probes) {
  const std::set<std::string> groups = WithBases(asked, probes);
  v1::ProbeSpec result;
  if (groups.contains(kRouting)) result.mutable_routing();
  for (const int weighting : probes.jacobian().average()) {
    const auto value = static_cast<v1::Weighting>(weighting);
    if (groups.contains(GroupOf(value)) ||
        groups.contains(SpectraGroupOf(value))) {
      result.mutable_jacobian()->add_average(value);
    }
  }
  if (AnyOf(groups, "pca")) {
    *result.mutable_pca() = PcaFor(groups, probes.pca());
  }
  if (AnyOf(groups, kSpectra)) *result.mutable_spectra() = probes.spectra();
  if (groups.contains(kRouterTerm)) {
    *result.mutable_router_term() = probes.router_term();
  }
  return result;
}

}  // namespace moeprobe

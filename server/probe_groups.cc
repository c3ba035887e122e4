#include "server/probe_groups.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "moeprobe/v1/analysis.pb.h"
#include "server/null_groups.h"

namespace moeprobe {
namespace {

constexpr const char* kRouting = "routing";
constexpr const char* kTokenAlignment = "jacobian/token";
constexpr const char* kByTokens = "jacobian/by_tokens";
constexpr const char* kReference = "pca/reference";
constexpr const char* kMatched = "pca/matched";
constexpr const char* kSpectra = "spectra";
constexpr const char* kRouterTerm = "router_term";
constexpr const char* kInterventions = "interventions/";
constexpr const char* kOutputs = "redundancy/outputs";
constexpr const char* kWeights = "redundancy/weights";

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

std::string CorrectedGroupOf(v1::Weighting weighting) {
  return absl::StrCat("jacobian/corrected/", std::string(NameOf(weighting)));
}

std::string ProjectedGroupOf(v1::Weighting weighting) {
  return absl::StrCat("jacobian/projected/", std::string(NameOf(weighting)));
}

// Singular values of averaged Jacobians.
std::string SpectraGroupOf(v1::Weighting weighting) {
  return absl::StrCat("spectra/", std::string(NameOf(weighting)));
}

std::vector<v1::Weighting> Weightings(const v1::ProbeSpec& probes) {
  std::vector<v1::Weighting> weightings;
  for (const int weighting : probes.jacobian().average()) {
    weightings.push_back(static_cast<v1::Weighting>(weighting));
  }
  return weightings;
}

// Groups of Jacobians, in the order of the weightings.
void AddJacobianGroups(const v1::ProbeSpec& probes,
                       std::vector<std::string>& groups) {
  for (const v1::Weighting weighting : Weightings(probes)) {
    groups.push_back(GroupOf(weighting));
    groups.push_back(CorrectedGroupOf(weighting));
    if (probes.jacobian().projections() > 0) {
      groups.push_back(ProjectedGroupOf(weighting));
    }
  }
  if (probes.jacobian().tokens() > 0) groups.emplace_back(kTokenAlignment);
  if (probes.jacobian().by_tokens()) groups.emplace_back(kByTokens);
}

// The smallest part of `asked` that makes `groups`. What comes from averages is
// made together with them.
v1::JacobianProbe JacobianFor(const std::set<std::string>& groups,
                              const v1::ProbeSpec& probes) {
  const v1::JacobianProbe& asked = probes.jacobian();
  const bool by_tokens = groups.contains(kByTokens);
  v1::JacobianProbe result;
  for (const v1::Weighting weighting : Weightings(probes)) {
    if (groups.contains(GroupOf(weighting)) ||
        groups.contains(CorrectedGroupOf(weighting)) ||
        groups.contains(ProjectedGroupOf(weighting)) ||
        groups.contains(SpectraGroupOf(weighting)) ||
        (by_tokens && weighting == v1::WEIGHTING_ALL)) {
      result.add_average(weighting);
    }
  }
  if (!result.average().empty()) result.set_projections(asked.projections());
  if (groups.contains(kTokenAlignment)) result.set_tokens(asked.tokens());
  if (by_tokens) result.set_by_tokens(true);
  return result;
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

bool Averages(const v1::ProbeSpec& probes, v1::Weighting weighting) {
  return std::ranges::find(probes.jacobian().average(), weighting) !=
         probes.jacobian().average().end();
}

// What the ranking of pairs takes from other probes.
std::set<std::string> SourcesOfPairs(const v1::ProbeSpec& probes) {
  std::set<std::string> groups;
  if (const auto weighting = WeightingOfPairs(probes)) {
    groups.insert(GroupOf(*weighting));
  }
  if (ComparesRoutedSubspaces(probes)) {
    groups.insert(GroupOf(v1::CONVENTION_ROUTED));
  }
  return groups;
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
  AddJacobianGroups(probes, groups);
  for (const int convention : probes.pca().conventions()) {
    groups.push_back(GroupOf(static_cast<v1::Convention>(convention)));
  }
  if (probes.has_pca()) {
    groups.emplace_back(kReference);
    groups.emplace_back(kMatched);
  }
  if (probes.has_router_term()) groups.emplace_back(kRouterTerm);
  if (probes.has_redundancy()) {
    if (probes.redundancy().tokens() > 0) groups.emplace_back(kOutputs);
    if (probes.redundancy().weights()) groups.emplace_back(kWeights);
    groups.emplace_back(kPairsGroup);
  }
  if (!probes.has_spectra()) return groups;
  groups.emplace_back(kSpectra);
  for (const v1::Weighting weighting : Weightings(probes)) {
    groups.push_back(SpectraGroupOf(weighting));
  }
  return groups;
}

}  // namespace

std::optional<v1::Weighting> WeightingOfPairs(const v1::ProbeSpec& probes) {
  for (const auto weighting : {v1::WEIGHTING_ALL, v1::WEIGHTING_ROUTED}) {
    if (Averages(probes, weighting)) return weighting;
  }
  return std::nullopt;
}

bool ComparesRoutedSubspaces(const v1::ProbeSpec& probes) {
  const auto& conventions = probes.pca().conventions();
  return std::ranges::find(conventions, v1::CONVENTION_ROUTED) !=
         conventions.end();
}

std::string InterventionGroup(int64_t layer) {
  return absl::StrCat(kInterventions, layer);
}

std::optional<int64_t> InterventionLayer(const std::string& group) {
  absl::string_view rest = group;
  int64_t layer = 0;
  if (!absl::ConsumePrefix(&rest, kInterventions) ||
      !absl::SimpleAtoi(rest, &layer)) {
    return std::nullopt;
  }
  return layer;
}

std::vector<std::string> ProbeGroups(const v1::ProbeSpec& probes,
                                     const v1::NullSpec& nulls) {
  std::vector<std::string> groups = BaseGroups(probes);
  const std::vector<std::string> of_nulls = NullGroups(groups, nulls);
  groups.insert(groups.end(), of_nulls.begin(), of_nulls.end());
  return groups;
}

v1::ProbeSpec ProbesFor(const std::set<std::string>& missing,
                        const v1::ProbeSpec& probes) {
  std::set<std::string> groups = WithBases(missing, probes);
  v1::ProbeSpec result;
  const bool edited = std::ranges::any_of(groups, [](const auto& group) {
    return InterventionLayer(group).has_value();
  });
  if (edited) *result.mutable_interventions() = probes.interventions();
  if (edited || AnyOf(groups, "redundancy")) {
    if (probes.has_redundancy()) {
      *result.mutable_redundancy() = probes.redundancy();
    }
    groups.merge(SourcesOfPairs(probes));
  }
  if (groups.contains(kRouting)) result.mutable_routing();
  const v1::JacobianProbe jacobian = JacobianFor(groups, probes);
  if (jacobian.ByteSizeLong() > 0) *result.mutable_jacobian() = jacobian;
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

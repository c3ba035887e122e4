#include "server/probe_resolution.h"

#include <google/protobuf/repeated_field.h>

#include <cstdint>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "moeprobe/v1/analysis.pb.h"
#include "server/choice.h"
#include "server/probe_groups.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

constexpr int kDefaultCommonTokens = 16;
constexpr int kMostProjections = 1024;
constexpr int kDefaultComponents = 5;
constexpr int kDefaultTokensPerExpert = 8;
constexpr int kDefaultTop = 16;
constexpr int kAllTokens = -1;
constexpr int kDefaultRouterTokens = 64;
constexpr int kDefaultRedundancyTokens = 256;
constexpr int kDefaultRank = 128;
constexpr int kDefaultPairs = 8;
constexpr int kMostPairs = 200;
constexpr int kDefaultInterventionTokens = 2048;

using EnumList = google::protobuf::RepeatedField<int>;

// Returns the values of a list of enumerators, sorted.
template <typename Enum>
std::set<int> CheckEnumerators(const EnumList& list, const std::string& field,
                               Violations& violations) {
  std::set<int> values;
  for (int i = 0; i < list.size(); ++i) {
    const std::string entry = absl::StrCat(field, "[", i, "]");
    if (CheckChoice(static_cast<Enum>(list[i]), entry, violations) &&
        !values.insert(list[i]).second) {
      violations.Add(entry, "stands there twice");
    }
  }
  return values;
}

v1::JacobianProbe ResolveJacobian(const v1::JacobianProbe& probe,
                                  Violations& violations) {
  v1::JacobianProbe result;
  std::set<int> weightings = CheckEnumerators<v1::Weighting>(
      probe.average(), "probes.jacobian.average", violations);
  if (probe.average().empty()) {
    weightings = {v1::WEIGHTING_ALL, v1::WEIGHTING_ROUTED, v1::WEIGHTING_GATE};
  }
  for (const int weighting : weightings) {
    result.add_average(static_cast<v1::Weighting>(weighting));
  }
  result.set_projections(probe.projections());
  if (probe.projections() < 0 || probe.projections() > kMostProjections) {
    violations.Add("probes.jacobian.projections",
                   absl::StrCat(probe.projections(), ", expected 0 to ",
                                kMostProjections));
  }
  result.set_tokens(probe.has_tokens() ? probe.tokens() : kDefaultCommonTokens);
  if (result.tokens() < 0) {
    violations.Add("probes.jacobian.tokens",
                   absl::StrCat(result.tokens(), ", expected at least 0"));
  }
  result.set_by_tokens(probe.by_tokens());
  if (probe.by_tokens() && !weightings.contains(v1::WEIGHTING_ALL)) {
    violations.Add("probes.jacobian.by_tokens",
                   "true, expected all in probes.jacobian.average beside it: "
                   "every expert has to run on every token");
  }
  return result;
}

v1::PcaProbe ResolvePca(const v1::PcaProbe& probe, int64_t width,
                        Violations& violations) {
  v1::PcaProbe result;
  std::set<int> conventions = CheckEnumerators<v1::Convention>(
      probe.conventions(), "probes.pca.conventions", violations);
  if (probe.conventions().empty()) conventions = {v1::CONVENTION_ROUTED};
  for (const int convention : conventions) {
    result.add_conventions(static_cast<v1::Convention>(convention));
  }
  const int components =
      probe.has_components() ? probe.components() : kDefaultComponents;
  if (components < 1 || components > width) {
    violations.Add("probes.pca.components",
                   absl::StrCat(components, " is out of range, expected 1 to ",
                                width, ", the width of the model"));
  }
  result.set_components(components);
  result.set_basis(probe.basis());
  result.set_angles(probe.angles());
  return result;
}

v1::SpectraProbe ResolveSpectra(const v1::SpectraProbe& probe,
                                Violations& violations) {
  v1::SpectraProbe result;
  const int64_t tokens = probe.has_tokens_per_expert()
                             ? probe.tokens_per_expert()
                             : kDefaultTokensPerExpert;
  if (tokens < 1 && tokens != kAllTokens) {
    violations.Add("probes.spectra.tokens_per_expert",
                   absl::StrCat(tokens, ", expected at least 1, or all"));
  }
  result.set_tokens_per_expert(tokens);
  const int top = probe.has_top() ? probe.top() : kDefaultTop;
  if (top < 1) {
    violations.Add("probes.spectra.top",
                   absl::StrCat(top, ", expected at least 1"));
  }
  result.set_top(top);
  return result;
}

v1::RouterTermProbe ResolveRouterTerm(const v1::RouterTermProbe& probe,
                                      Violations& violations) {
  v1::RouterTermProbe result = probe;
  if (!probe.has_tokens()) result.set_tokens(kDefaultRouterTokens);
  if (result.tokens() < 1) {
    violations.Add("probes.router_term.tokens",
                   absl::StrCat(result.tokens(), ", expected at least 1"));
  }
  if (probe.at() == v1::TOKEN_PLACEMENT_UNSPECIFIED) {
    result.set_at(v1::TOKEN_PLACEMENT_SPREAD);
  } else {
    CheckChoice(probe.at(), "probes.router_term.at", violations);
  }
  return result;
}

v1::RedundancyProbe ResolveRedundancy(const v1::RedundancyProbe& probe,
                                      Violations& violations) {
  v1::RedundancyProbe result = probe;
  if (!probe.has_tokens()) result.set_tokens(kDefaultRedundancyTokens);
  if (result.tokens() < 0) {
    violations.Add("probes.redundancy.tokens",
                   absl::StrCat(result.tokens(), ", expected at least 0"));
  }
  if (!probe.has_rank()) result.set_rank(kDefaultRank);
  if (result.rank() < 1) {
    violations.Add("probes.redundancy.rank",
                   absl::StrCat(result.rank(), ", expected at least 1"));
  }
  if (!probe.has_weights()) result.set_weights(true);
  if (result.tokens() == 0 && !result.weights()) {
    violations.Add("probes.redundancy",
                   "compares neither outputs (tokens: 0) nor weights");
  }
  return result;
}

v1::InterventionProbe ResolveInterventions(const v1::InterventionProbe& probe,
                                           Violations& violations) {
  v1::InterventionProbe result = probe;
  if (!probe.has_pairs()) result.set_pairs(kDefaultPairs);
  if (result.pairs() < 1 || result.pairs() > kMostPairs) {
    violations.Add(
        "probes.interventions.pairs",
        absl::StrCat(result.pairs(), ", expected 1 to ", kMostPairs));
  }
  std::set<int> kinds = CheckEnumerators<v1::InterventionKind>(
      probe.kinds(), "probes.interventions.kinds", violations);
  if (probe.kinds().empty()) {
    kinds = {v1::INTERVENTION_KIND_AVERAGE, v1::INTERVENTION_KIND_REPLACE,
             v1::INTERVENTION_KIND_ABLATE};
  }
  result.clear_kinds();
  for (const int kind : kinds) {
    result.add_kinds(static_cast<v1::InterventionKind>(kind));
  }
  if (!probe.has_tokens()) result.set_tokens(kDefaultInterventionTokens);
  if (result.tokens() < 1) {
    violations.Add("probes.interventions.tokens",
                   absl::StrCat(result.tokens(), ", expected at least 1"));
  }
  return result;
}

// Pairs are chosen by their rank, which other probes give.
void CheckRanking(const v1::ProbeSpec& probes, Violations& violations) {
  if (!probes.has_interventions() || probes.redundancy().tokens() > 0 ||
      WeightingOfPairs(probes)) {
    return;
  }
  violations.Add("probes.interventions",
                 "pairs of experts are ranked by redundancy (tokens above 0) "
                 "or jacobian (all or routed), expected one of them beside it");
}

}  // namespace

v1::ProbeSpec ResolveProbes(const v1::AnalyzeSpec& spec, int64_t width,
                            Violations& violations) {
  const v1::ProbeSpec& asked = spec.probes();
  const bool all = !spec.has_probes();
  v1::ProbeSpec result;
  if (all || asked.has_routing()) result.mutable_routing();
  if (all || asked.has_jacobian()) {
    *result.mutable_jacobian() = ResolveJacobian(asked.jacobian(), violations);
  }
  if (all || asked.has_pca()) {
    *result.mutable_pca() = ResolvePca(asked.pca(), width, violations);
  }
  if (asked.has_spectra()) {
    *result.mutable_spectra() = ResolveSpectra(asked.spectra(), violations);
  }
  if (asked.has_router_term()) {
    *result.mutable_router_term() =
        ResolveRouterTerm(asked.router_term(), violations);
  }
  if (asked.has_redundancy()) {
    *result.mutable_redundancy() =
        ResolveRedundancy(asked.redundancy(), violations);
  }
  if (asked.has_interventions()) {
    *result.mutable_interventions() =
        ResolveInterventions(asked.interventions(), violations);
  }
  CheckRanking(result, violations);
  if (result.ByteSizeLong() == 0) {
    violations.Add("probes",
                   "none, expected routing, jacobian, pca, spectra, "
                   "router_term, redundancy or interventions");
  }
  return result;
}

}  // namespace moeprobe

#include "server/cache_key.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/numerics_version.h"
#include "core/base/sha256.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/null_groups.h"
#include "server/probe_groups.h"

namespace moeprobe {
namespace {

// What is drawn, as text. Windows are in the fingerprint of the data.
std::string DrawsOf(const CacheKeyFields& fields) {
  const v1::NullSpec& nulls = *fields.nulls;
  const auto& average = fields.probes->jacobian().average();
  return absl::StrCat("random_router=", nulls.random_router(),
                      "\npermutations=", nulls.permutations(),
                      "\nrandom_weights=", nulls.random_weights(),
                      "\nbootstrap=", nulls.bootstrap(),
                      "\nkeep_draws=", nulls.keep_draws(),
                      "\nevery_expert_on_every_token=",
                      std::ranges::count(average, int{v1::WEIGHTING_ALL}),
                      "\nseed=", fields.seed, "\n");
}

std::string OutputParameters(const CacheKeyFields& fields) {
  return absl::StrCat("tokens=", fields.probes->redundancy().tokens(),
                      "\nseed=", fields.seed, "\n");
}

std::string WeightParameters(const CacheKeyFields& fields) {
  return absl::StrCat("rank=", fields.probes->redundancy().rank(), "\n");
}

// Pairs are ranked by what other groups hold: by all that those depend on.
std::string PairParameters(const CacheKeyFields& fields) {
  const v1::ProbeSpec& probes = *fields.probes;
  return absl::StrCat(
      OutputParameters(fields), WeightParameters(fields),
      "weights=", static_cast<int>(probes.redundancy().weights()),
      "\nalignment=",
      static_cast<int>(
          WeightingOfPairs(probes).value_or(v1::WEIGHTING_UNSPECIFIED)),
      "\ncomponents=",
      ComparesRoutedSubspaces(probes) ? probes.pca().components() : 0, "\n");
}

std::string InterventionParameters(const CacheKeyFields& fields) {
  const v1::InterventionProbe& probe = fields.probes->interventions();
  return absl::StrCat(PairParameters(fields), "pairs=", probe.pairs(),
                      "\nkinds=", absl::StrJoin(probe.kinds(), ","),
                      "\ntokens=", probe.tokens(), "\n");
}

// The parameters that a group depends on, as text.
std::string ParametersOf(const CacheKeyFields& fields) {
  if (const std::string base = BaseOfNulls(fields.group); !base.empty()) {
    CacheKeyFields of_base = fields;
    of_base.group = base;
    return absl::StrCat(DrawsOf(fields), ParametersOf(of_base));
  }
  if (fields.group == "pca/matched") {
    return absl::StrCat("seed=", fields.seed, "\n");
  }
  const v1::JacobianProbe& jacobian = fields.probes->jacobian();
  if (absl::StartsWith(fields.group, "jacobian/corrected/") ||
      fields.group == "jacobian/by_tokens") {
    return absl::StrCat("seed=", fields.seed, "\n");
  }
  if (absl::StartsWith(fields.group, "jacobian/projected/")) {
    return absl::StrCat("projections=", jacobian.projections(),
                        "\nseed=", fields.seed, "\n");
  }
  if (fields.group == "jacobian/token") {
    return absl::StrCat("tokens=", jacobian.tokens(), "\nseed=", fields.seed,
                        "\n");
  }
  if (absl::StartsWith(fields.group, "pca/")) {
    const v1::PcaProbe& pca = fields.probes->pca();
    return absl::StrCat("components=", pca.components(),
                        "\nbasis=", static_cast<int>(pca.basis()),
                        "\nangles=", pca.angles(), "\n");
  }
  const v1::SpectraProbe& spectra = fields.probes->spectra();
  if (fields.group == "spectra") {
    return absl::StrCat("tokens=", spectra.tokens_per_expert(),
                        "\ntop=", spectra.top(), "\nseed=", fields.seed, "\n");
  }
  if (fields.group == "router_term") {
    const v1::RouterTermProbe& term = fields.probes->router_term();
    return absl::StrCat("tokens=", term.tokens(), "\nat=", term.at(),
                        "\nseed=", fields.seed, "\n");
  }
  if (fields.group == "redundancy/outputs") return OutputParameters(fields);
  if (fields.group == "redundancy/weights") return WeightParameters(fields);
  if (fields.group == kPairsGroup) return PairParameters(fields);
  if (InterventionLayer(fields.group)) return InterventionParameters(fields);
  if (absl::StartsWith(fields.group, "spectra/")) {
    return absl::StrCat("top=", spectra.top(), "\nseed=", fields.seed, "\n");
  }
  return "";
}

// Routing where it is not the model's own, as text. A loss is that of the
// forward pass, whatever statistics use.
std::string RoutingOf(const CacheKeyFields& fields) {
  if (!fields.routing) return "";
  const v1::RoutingRule& rule = *fields.routing;
  if (fields.group == kNllGroup && !rule.in_forward_pass()) return "";
  return absl::StrFormat("routing=%d,%d,%a,%d\n", rule.expert_count(),
                         static_cast<int>(rule.renormalize()),
                         rule.temperature(),
                         static_cast<int>(rule.in_forward_pass()));
}

}  // namespace

std::string CacheKey(const CacheKeyFields& fields) {
  return Sha256Hex(absl::StrCat(
      "numerics=", kNumericsVersion, "\nweights=", fields.weights_fingerprint,
      "\ndata=", fields.data_fingerprint, "\nprecision=",
      fields.precision == v1::PRECISION_BFLOAT16 ? "bfloat16" : "float32",
      "\ndevice=", fields.device == v1::DEVICE_CUDA ? "cuda" : "cpu",
      "\nlayer=", fields.layer, "\ngroup=", fields.group, "\n",
      ParametersOf(fields), RoutingOf(fields)));
}

}  // namespace moeprobe

#include "core/pipeline/layer_probes.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/routing_rule.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/step_report.h"
#include "core/probe/matched_reference.h"
#include "core/probe/pca_significance.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/probe/projected_tokens.h"
#include "core/probe/redundancy.h"
#include "core/probe/routed_pca.h"
#include "core/probe/router_term.h"
#include "core/probe/routing_statistics.h"
#include "core/probe/spectra_probe.h"
#include "core/probe/token_alignment.h"
#include "core/probe/token_bootstrap.h"
#include "core/significance/random_router.h"
#include "core/significance/routing_draws.h"
#include "core/significance/shuffled_routing.h"
#include "core/significance/window_groups.h"

namespace moeprobe {
namespace {

// Shares of a layer's time that are over when a step begins; roughly those of
// Mixtral's shape.
constexpr double kJacobiansBegin = 0.5;
constexpr double kTokensBegin = 0.68;
constexpr double kSubspacesBegin = 0.7;
constexpr double kSamplesBegin = 0.75;
constexpr double kSpectraBegin = 0.8;
constexpr double kSpectraEnd = 0.9;
constexpr double kRedundancyBegin = 0.95;

NullRoutings DrawNulls(const ProbedLayer& layer, const RoutingRule& rule,
                       const NullOptions& options, int64_t seed) {
  if (layer.tensors.dense) return {};
  return {.random_router = RandomRouters(layer.h, layer.routing, layer.counted,
                                         rule, options.random_router, seed),
          .permutations = ShuffledRouting(layer.routing, layer.counted,
                                          options.permutations, seed)};
}

bool AnyAskedFor(const NullOptions& nulls) {
  return nulls.random_router + nulls.permutations + nulls.bootstrap > 0;
}

}  // namespace

LayerProbes::LayerProbes(const ProbedLayer& layer, const RoutingRule& rule,
                         const AnalysisRequest& request)
    : layer_(layer),
      rule_(rule),
      request_(request),
      windows_(GroupWindows(layer.h.size(0), request.sequence_length)) {
  const ProbeOptions& probes = request.probes;
  if (probes.jacobian || probes.pca) {
    nulls_ = DrawNulls(layer, rule, probes.nulls, request.seed);
  }
  if (probes.jacobian && !probes.jacobian->average.empty()) {
    jacobian_.emplace(layer, *probes.jacobian, windows_, nulls_);
  }
}

absl::StatusOr<ProbeResult> LayerProbes::Finish(const StepReport& report) {
  if (request_.probes.routing) {
    Append(RoutingStatistics(layer_.routing, layer_.counted,
                             request_.sequence_length),
           result_);
  }
  MOEPROBE_RETURN_IF_ERROR(AddJacobians(report));
  MOEPROBE_RETURN_IF_ERROR(AddSubspaces(report));
  MOEPROBE_RETURN_IF_ERROR(AddTokens(report));
  AddWarnings();
  return std::move(result_);
}

absl::Status LayerProbes::AddJacobians(const StepReport& report) {
  const ProbeOptions& probes = request_.probes;
  if (jacobian_) {
    MOEPROBE_RETURN_IF_ERROR(report("averaged Jacobians", kJacobiansBegin));
    Append(jacobian_->Finish(probes.spectra, probes.nulls, request_.seed),
           result_);
  }
  if (probes.jacobian && probes.jacobian->tokens > 0) {
    MOEPROBE_RETURN_IF_ERROR(report("Jacobians at tokens", kTokensBegin));
    Append(TokenAlignment(layer_, probes.jacobian->tokens, request_.seed),
           result_);
  }
  return absl::OkStatus();
}

absl::Status LayerProbes::AddSubspaces(const StepReport& report) {
  const std::optional<PcaOptions>& pca = request_.probes.pca;
  if (!pca) return absl::OkStatus();
  const NullOptions& nulls = request_.probes.nulls;
  MOEPROBE_RETURN_IF_ERROR(report("subspaces", kSubspacesBegin));
  MOEPROBE_ASSIGN_OR_RETURN(
      PcaFindings found,
      RoutedPca(layer_.h, layer_.routing, layer_.counted, *pca));
  Append(std::move(found.result), result_);

  // A single expert has nothing to be matched with, only intervals.
  const int64_t expert_count = layer_.routing.logits.size(1);
  const bool matched = pca->matched && expert_count > 1;
  if (!matched && !AnyAskedFor(nulls)) return absl::OkStatus();
  MOEPROBE_RETURN_IF_ERROR(report("samples of subspaces", kSamplesBegin));
  const ProjectedTokens tokens = ProjectForReplicates(
      layer_.h, layer_.counted, expert_count, pca->components);
  if (matched) {
    Append(MatchedReference(layer_.h, tokens, layer_.routing, layer_.counted,
                            pca->components, request_.seed),
           result_);
  }
  if (!AnyAskedFor(nulls)) return absl::OkStatus();
  Append(PcaSignificance({.tokens = tokens,
                          .width = layer_.h.size(1),
                          .routing = layer_.routing,
                          .counted = layer_.counted,
                          .windows = windows_,
                          .nulls = nulls_},
                         found, *pca, nulls, request_.seed),
         result_);
  return absl::OkStatus();
}

absl::Status LayerProbes::AddTokens(const StepReport& report) {
  const ProbeOptions& probes = request_.probes;
  const TokenBootstrap bootstrap(windows_, probes.nulls.bootstrap,
                                 request_.seed);
  if (probes.spectra) {
    const auto report_share = [&](double share) {
      return report("spectra",
                    kSpectraBegin + share * (kSpectraEnd - kSpectraBegin));
    };
    MOEPROBE_ASSIGN_OR_RETURN(
        ProbeResult spectra,
        TokenSpectra(layer_, *probes.spectra, request_.seed, bootstrap,
                     report_share));
    Append(std::move(spectra), result_);
  }
  if (probes.router_term) {
    MOEPROBE_RETURN_IF_ERROR(report("router term", kSpectraEnd));
    Append(RouterTerm(layer_, rule_, *probes.router_term, request_.seed,
                      bootstrap),
           result_);
  }
  if (probes.redundancy) {
    MOEPROBE_RETURN_IF_ERROR(report("redundancy", kRedundancyBegin));
    AddRedundancy(layer_, *probes.redundancy, request_.seed, result_);
  }
  return absl::OkStatus();
}

void LayerProbes::AddWarnings() {
  const NullOptions& nulls = request_.probes.nulls;
  if (nulls.bootstrap > 0 && windows_.count < kFewWindows) {
    result_.warnings.push_back(
        absl::StrCat("intervals: resampled from ", windows_.count,
                     " windows, and from fewer than ", kFewWindows,
                     " they come out too narrow"));
  }
  if (nulls.random_router > 0 && !layer_.tensors.dense &&
      rule_.per_token == layer_.routing.logits.size(1)) {
    result_.warnings.emplace_back(
        "random router: every token goes to every expert, which leaves nothing "
        "to draw; null means and p are NaN");
  }
}

}  // namespace moeprobe

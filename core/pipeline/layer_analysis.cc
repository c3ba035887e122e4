#include "core/pipeline/layer_analysis.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/model/decoder_layer.h"
#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "core/model/weight_arrival.h"
#include "core/pipeline/analyze.h"
#include "core/plan/itinerary.h"
#include "core/probe/jacobian_probe.h"
#include "core/probe/matched_reference.h"
#include "core/probe/pca_significance.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/probe/projected_tokens.h"
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
constexpr double kExpertsBegin = 0.1;
constexpr double kJacobiansBegin = 0.5;
constexpr double kTokensBegin = 0.68;
constexpr double kSubspacesBegin = 0.7;
constexpr double kSamplesBegin = 0.75;
constexpr double kSpectraBegin = 0.8;
constexpr double kSpectraEnd = 0.9;

// Says which layer everything belongs to.
ProbeResult InLayer(int64_t layer, ProbeResult result) {
  for (NamedArray& array : result.arrays) {
    array.name = absl::StrCat("layer", layer, "/", array.name);
  }
  for (std::string& warning : result.warnings) {
    warning = absl::StrCat("layer ", layer, ", ", warning);
  }
  return result;
}

// A sum is finite only if every term is.
absl::Status CheckFinite(int64_t layer, const at::Tensor& h) {
  if (std::isfinite(h.sum(at::kDouble).item<double>())) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "layer ", layer,
      ": hidden states are not finite: the weights up to here hold NaN, "
      "infinity or numbers too large"));
}

NullRoutings DrawNulls(const ProbedLayer& layer, const RoutingRule& rule,
                       const NullOptions& options, int64_t seed) {
  if (layer.tensors.dense) return {};
  return {.random_router = RandomRouters(layer.h, layer.routing, layer.counted,
                                         rule, options.random_router, seed),
          .permutations = ShuffledRouting(layer.routing, layer.counted,
                                          options.permutations, seed)};
}

// What samples of other tokens and other routings say about subspaces.
ProbeResult Subspaces(const ProbedLayer& layer, const PcaFindings& found,
                      const ProbeOptions& probes, const WindowGroups& windows,
                      const NullRoutings& drawn, int64_t seed) {
  const NullOptions& nulls = probes.nulls;
  const ProjectedTokens tokens =
      ProjectForReplicates(layer.h, layer.counted, layer.routing.logits.size(1),
                           probes.pca->components);
  ProbeResult result =
      MatchedReference(layer.h, tokens, layer.routing, layer.counted,
                       probes.pca->components, seed);
  if (nulls.random_router + nulls.permutations + nulls.bootstrap == 0) {
    return result;
  }
  Append(PcaSignificance({.tokens = tokens,
                          .width = layer.h.size(1),
                          .routing = layer.routing,
                          .counted = layer.counted,
                          .windows = windows,
                          .nulls = drawn},
                         found, *probes.pca, nulls, seed),
         result);
  return result;
}

}  // namespace

bool ReadsExperts(const ProbeOptions& options) {
  return options.jacobian || options.spectra || options.router_term;
}

at::ScalarType ComputeType(Precision precision) {
  return precision == Precision::kBFloat16 ? at::kBFloat16 : at::kFloat;
}

at::Tensor TokenIds(const AnalysisRequest& request) {
  return at::tensor(request.token_ids, at::kInt).to(at::kLong);
}

LayerAnalysis::LayerAnalysis(const AnalysisRequest& request,
                             const Checkpoint& checkpoint)
    : request_(request),
      checkpoint_(checkpoint),
      counted_(at::full({static_cast<int64_t>(request.token_ids.size())}, true,
                        at::kBool)) {
  counted_.view({-1, request.sequence_length})
      .slice(1, 0, request.skip_first)
      .fill_(false);
}

absl::StatusOr<ProbeResult> LayerAnalysis::Run(
    const LayerVisit& visit, at::Tensor& residual, const StepReport& report,
    const WeightArrival& arrival) const {
  const int64_t layer = visit.layer;
  const ProbeOptions& probes = request_.probes;
  const DecoderLayer decoder(checkpoint_, layer, request_.sequence_length,
                             ComputeType(request_.precision));
  MOEPROBE_RETURN_IF_ERROR(report("reading weights", 0));
  MOEPROBE_RETURN_IF_ERROR(arrival(LastOfAttention(checkpoint_.layer(layer))));
  MOEPROBE_RETURN_IF_ERROR(report("attention", 0));
  decoder.Attend(residual);

  MOEPROBE_RETURN_IF_ERROR(report("experts", kExpertsBegin));
  const at::Tensor h = decoder.MlpInput(residual);  // [T, d]
  MOEPROBE_RETURN_IF_ERROR(CheckFinite(layer, h));
  const ExpertConfig& experts = checkpoint_.config().experts;
  const RoutingRule rule = ProbedRule(experts, request_.routing);
  const Routing forward =
      decoder.RouteTokens(h, ForwardRule(experts, request_.routing));
  const Routing routing = decoder.RouteTokens(h, rule);
  const ProbedLayer seen{.tensors = checkpoint_.layer(layer),
                         .h = h,
                         .routing = routing,
                         .counted = counted_};
  const WindowGroups windows =
      GroupWindows(residual.size(0), request_.sequence_length);
  NullRoutings nulls;
  if (visit.is_target && (probes.jacobian || probes.pca)) {
    nulls = DrawNulls(seen, rule, probes.nulls, request_.seed);
  }
  std::optional<JacobianProbe> jacobian;
  if (visit.is_target && probes.jacobian && !probes.jacobian->average.empty()) {
    jacobian.emplace(seen, *probes.jacobian, windows, nulls);
  }
  if (visit.output || jacobian) {
    MOEPROBE_RETURN_IF_ERROR(
        decoder.RunExperts(h, forward, visit.output ? &residual : nullptr,
                           jacobian ? &*jacobian : nullptr, arrival));
  } else if (ReadsExperts(probes)) {
    MOEPROBE_RETURN_IF_ERROR(arrival(checkpoint_.TensorsOfLayer(layer).back()));
  }
  if (!visit.is_target) return ProbeResult();

  ProbeResult result;
  if (probes.routing) {
    Append(RoutingStatistics(routing, counted_, request_.sequence_length),
           result);
  }
  if (jacobian) {
    MOEPROBE_RETURN_IF_ERROR(report("averaged Jacobians", kJacobiansBegin));
    Append(jacobian->Finish(probes.spectra, probes.nulls, request_.seed),
           result);
  }
  if (probes.jacobian && probes.jacobian->tokens > 0) {
    MOEPROBE_RETURN_IF_ERROR(report("Jacobians at tokens", kTokensBegin));
    Append(TokenAlignment(seen, probes.jacobian->tokens, request_.seed),
           result);
  }
  if (probes.pca) {
    MOEPROBE_RETURN_IF_ERROR(report("subspaces", kSubspacesBegin));
    MOEPROBE_ASSIGN_OR_RETURN(PcaFindings found,
                              RoutedPca(h, routing, counted_, *probes.pca));
    Append(std::move(found.result), result);
    MOEPROBE_RETURN_IF_ERROR(report("samples of subspaces", kSamplesBegin));
    Append(Subspaces(seen, found, probes, windows, nulls, request_.seed),
           result);
  }
  const TokenBootstrap bootstrap(windows, probes.nulls.bootstrap,
                                 request_.seed);
  if (probes.spectra) {
    MOEPROBE_ASSIGN_OR_RETURN(
        ProbeResult spectra,
        TokenSpectra(
            seen, *probes.spectra, request_.seed, bootstrap, [&](double share) {
              return report("spectra", kSpectraBegin + share * (kSpectraEnd -
                                                                kSpectraBegin));
            }));
    Append(std::move(spectra), result);
  }
  if (probes.router_term) {
    MOEPROBE_RETURN_IF_ERROR(report("router term", kSpectraEnd));
    Append(
        RouterTerm(seen, rule, *probes.router_term, request_.seed, bootstrap),
        result);
  }
  return InLayer(layer, std::move(result));
}

}  // namespace moeprobe

#include "core/pipeline/layer_analysis.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

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
#include "core/model/activation_probe.h"
#include "core/model/decoder_layer.h"
#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "core/model/weight_arrival.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/layer_probes.h"
#include "core/pipeline/step_report.h"
#include "core/plan/itinerary.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"

namespace moeprobe {
namespace {

// Share of a layer's time that is over when its experts begin.
constexpr double kExpertsBegin = 0.1;

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

}  // namespace

bool ReadsExperts(const ProbeOptions& options) {
  return options.jacobian || options.spectra || options.router_term ||
         options.redundancy;
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
  const LayerTensors& tensors = checkpoint_.layer(layer);
  const DecoderLayer decoder(checkpoint_, layer, request_.sequence_length,
                             ComputeType(request_.precision));
  MOEPROBE_RETURN_IF_ERROR(report("reading weights", 0));
  MOEPROBE_RETURN_IF_ERROR(arrival(LastBeforeExperts(tensors)));
  MOEPROBE_RETURN_IF_ERROR(report("attention", 0));
  decoder.Attend(residual);

  MOEPROBE_RETURN_IF_ERROR(report("experts", kExpertsBegin));
  const at::Tensor h = decoder.MlpInput(residual);  // [T, d]
  MOEPROBE_RETURN_IF_ERROR(CheckFinite(layer, h));
  const ExpertConfig& experts = checkpoint_.config().experts;
  const RoutingRule rule = ProbedRule(experts, request_.routing);
  const Routing routing = decoder.RouteTokens(h, rule);
  // The forward pass has a rule of its own only where statistics alone change.
  const Routing forward =
      request_.routing && !request_.routing->forward
          ? decoder.RouteTokens(h, ForwardRule(experts, request_.routing))
          : routing;
  const ProbedLayer seen{
      .tensors = tensors, .h = h, .routing = routing, .counted = counted_};
  std::optional<LayerProbes> probes;
  if (visit.is_target) probes.emplace(seen, rule, request_);
  ActivationProbe* activations = probes ? probes->activations() : nullptr;
  if (visit.output || activations != nullptr) {
    MOEPROBE_RETURN_IF_ERROR(decoder.RunExperts(
        h, forward, visit.output ? &residual : nullptr, activations, arrival));
  } else if (ReadsExperts(request_.probes)) {
    MOEPROBE_RETURN_IF_ERROR(arrival(checkpoint_.TensorsOfLayer(layer).back()));
  }
  if (!probes) return ProbeResult();
  MOEPROBE_ASSIGN_OR_RETURN(ProbeResult result, probes->Finish(report));
  return InLayer(layer, std::move(result));
}

}  // namespace moeprobe

#include "server/worker/task_part.h"

#include "core/base/token_windows.h"
#include "core/model/routing_rule.h"
#include "core/pipeline/analyze.h"
#include "core/probe/probe_options.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/worker_service.pb.h"

namespace moeprobe {
namespace {

// The server resolves requests: a value it does not set has no meaning here, so
// each switch names the default it cannot see.

Weighting FromProto(v1::Weighting weighting) {
  switch (weighting) {
    case v1::WEIGHTING_ALL:
      return Weighting::kAll;
    case v1::WEIGHTING_GATE:
      return Weighting::kGate;
    default:
      return Weighting::kRouted;
  }
}

Convention FromProto(v1::Convention convention) {
  switch (convention) {
    case v1::CONVENTION_ALL_TOKENS:
      return Convention::kAllTokens;
    case v1::CONVENTION_SAMPLE_WEIGHTED:
      return Convention::kSampleWeighted;
    default:
      return Convention::kRouted;
  }
}

Device FromProto(v1::Device device) {
  switch (device) {
    case v1::DEVICE_CPU:
      return Device::kCpu;
    case v1::DEVICE_CUDA:
      return Device::kCuda;
    default:
      return Device::kAuto;
  }
}

RouterTermOptions FromProto(const v1::RouterTermProbe& probe) {
  return {.tokens = probe.tokens(),
          .at = probe.at() == v1::TOKEN_PLACEMENT_FIRST
                    ? TokenPlacement::kFirst
                    : TokenPlacement::kSpread};
}

JacobianOptions FromProto(const v1::JacobianProbe& probe) {
  JacobianOptions options{.average = {},
                          .projections = probe.projections(),
                          .tokens = probe.tokens(),
                          .by_tokens = probe.by_tokens()};
  for (const int weighting : probe.average()) {
    options.average.push_back(FromProto(static_cast<v1::Weighting>(weighting)));
  }
  return options;
}

PcaOptions FromProto(const v1::PcaProbe& probe) {
  PcaOptions options{.conventions = {},
                     .components = probe.components(),
                     .basis = probe.basis(),
                     .angles = probe.angles()};
  for (const int convention : probe.conventions()) {
    options.conventions.push_back(
        FromProto(static_cast<v1::Convention>(convention)));
  }
  return options;
}

NullOptions FromProto(const v1::NullSpec& spec) {
  return {.random_router = spec.random_router(),
          .permutations = spec.permutations(),
          .random_weights = spec.random_weights(),
          .bootstrap = spec.bootstrap(),
          .keep_draws = spec.keep_draws()};
}

Intervention FromProto(v1::InterventionKind kind) {
  switch (kind) {
    case v1::INTERVENTION_KIND_AVERAGE:
      return Intervention::kAverage;
    case v1::INTERVENTION_KIND_REPLACE:
      return Intervention::kReplace;
    default:
      return Intervention::kAblate;
  }
}

InterventionOptions FromProto(const v1::InterventionProbe& probe) {
  InterventionOptions options{
      .pairs = probe.pairs(), .kinds = {}, .tokens = probe.tokens()};
  for (const int kind : probe.kinds()) {
    options.kinds.push_back(FromProto(static_cast<v1::InterventionKind>(kind)));
  }
  return options;
}

ProbeOptions FromProto(const v1::ProbeSpec& spec) {
  ProbeOptions options;
  options.routing = spec.has_routing();
  if (spec.has_jacobian()) options.jacobian = FromProto(spec.jacobian());
  if (spec.has_pca()) options.pca = FromProto(spec.pca());
  if (spec.has_spectra()) {
    options.spectra =
        SpectraOptions{.tokens_per_expert = spec.spectra().tokens_per_expert(),
                       .top = spec.spectra().top()};
  }
  if (spec.has_router_term()) {
    options.router_term = FromProto(spec.router_term());
  }
  if (spec.has_redundancy()) {
    options.redundancy =
        RedundancyOptions{.tokens = spec.redundancy().tokens(),
                          .rank = spec.redundancy().rank(),
                          .weights = spec.redundancy().weights()};
  }
  if (spec.has_interventions()) {
    options.interventions = FromProto(spec.interventions());
  }
  return options;
}

RoutingChange FromProto(const v1::RoutingRule& rule) {
  return {.rule = {.per_token = rule.expert_count(),
                   .renormalize = rule.renormalize(),
                   .temperature = rule.temperature()},
          .forward = rule.in_forward_pass()};
}

}  // namespace

WindowOptions WindowsOf(const v1::DataSpec& data) {
  return {.tokens = data.tokens(),
          .sequence_length = data.sequence_length(),
          .skip_first = data.skip_first()};
}

AnalysisRequest RequestOf(const v1::TaskPart& part) {
  AnalysisRequest request;
  request.model_directory = part.model_directory();
  request.model_root = part.model_root();
  request.sequence_length = part.data().sequence_length();
  request.skip_first = part.data().skip_first();
  request.layers.assign(part.layers().begin(), part.layers().end());
  request.probes = FromProto(part.probes());
  request.probes.nulls = FromProto(part.nulls());
  request.precision = part.precision() == v1::PRECISION_BFLOAT16
                          ? Precision::kBFloat16
                          : Precision::kFloat32;
  request.device = FromProto(part.device());
  request.seed = part.seed();
  request.nll = part.nll();
  if (part.has_routing()) request.routing = FromProto(part.routing());
  request.known_weights = {.stamp = part.weights_stamp(),
                           .fingerprints = {part.weights_fingerprints().begin(),
                                            part.weights_fingerprints().end()}};
  return request;
}

}  // namespace moeprobe

#include "client/request/probes_reader.h"

#include "absl/status/status.h"
#include "client/request/message_fields.h"
#include "client/request/value.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {
namespace {

absl::Status ReadRoutingProbe(const Value& value, v1::RoutingProbe& /*probe*/) {
  return value.Fields({});
}

absl::Status ReadJacobian(const Value& value, v1::JacobianProbe& probe) {
  return value.Fields(
      {ChoicesField("average", probe), IntegerField("projections", probe, 0),
       IntegerField("tokens", probe, 0), BooleanField("by_tokens", probe)});
}

absl::Status ReadPca(const Value& value, v1::PcaProbe& probe) {
  return value.Fields(
      {ChoicesField("conventions", probe), IntegerField("components", probe, 1),
       BooleanField("basis", probe), BooleanField("angles", probe)});
}

absl::Status ReadSpectra(const Value& value, v1::SpectraProbe& probe) {
  return value.Fields({TokenCountField("tokens_per_expert", probe),
                       IntegerField("top", probe, 1)});
}

absl::Status ReadRouterTerm(const Value& value, v1::RouterTermProbe& probe) {
  return value.Fields(
      {IntegerField("tokens", probe, 1), ChoiceField("at", probe)});
}

absl::Status ReadRedundancy(const Value& value, v1::RedundancyProbe& probe) {
  return value.Fields({IntegerField("tokens", probe, 0),
                       IntegerField("rank", probe, 1),
                       BooleanField("weights", probe)});
}

absl::Status ReadInterventions(const Value& value,
                               v1::InterventionProbe& probe) {
  return value.Fields({IntegerField("pairs", probe, 1),
                       ChoicesField("kinds", probe),
                       IntegerField("tokens", probe, 1)});
}

}  // namespace

absl::Status ReadProbes(const Value& value, v1::ProbeSpec& probes) {
  MOEPROBE_RETURN_IF_ERROR(
      value.Fields({PartField("routing", probes, ReadRoutingProbe),
                    PartField("jacobian", probes, ReadJacobian),
                    PartField("pca", probes, ReadPca),
                    PartField("spectra", probes, ReadSpectra),
                    PartField("router_term", probes, ReadRouterTerm),
                    PartField("redundancy", probes, ReadRedundancy),
                    PartField("interventions", probes, ReadInterventions)}));
  if (value.node().children.empty()) {
    return value.Error(
        "found no probe, expected at least one of routing, jacobian, pca, "
        "spectra, router_term, redundancy and interventions");
  }
  return absl::OkStatus();
}

}  // namespace moeprobe

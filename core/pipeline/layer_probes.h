#ifndef MOEPROBE_CORE_PIPELINE_LAYER_PROBES_H_
#define MOEPROBE_CORE_PIPELINE_LAYER_PROBES_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/activation_probe.h"
#include "core/model/routing_rule.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/step_report.h"
#include "core/probe/jacobian_probe.h"
#include "core/probe/probe_result.h"
#include "core/probe/probed_layer.h"
#include "core/significance/routing_draws.h"
#include "core/significance/window_groups.h"

namespace moeprobe {

// The probes of one layer, in the order they run. Made in front of the layer's
// experts, so that one of them can take part in the forward pass; finished
// behind them.
class LayerProbes {
 public:
  // `rule`: that of `layer.routing`. Both arguments and what `layer` refers to
  // must outlive the object.
  LayerProbes(const ProbedLayer& layer, const RoutingRule& rule,
              const AnalysisRequest& request);

  // Returns the probe that takes part in the forward pass; null if none does.
  ActivationProbe* activations() { return jacobian_ ? &*jacobian_ : nullptr; }

  // Returns what all probes found. The layer's weights are in memory where a
  // probe reads them. Errors: those of the probes, what `report` returns.
  absl::StatusOr<ProbeResult> Finish(const StepReport& report);

 private:
  absl::Status AddJacobians(const StepReport& report);
  absl::Status AddSubspaces(const StepReport& report);
  absl::Status AddTokens(const StepReport& report);
  void AddWarnings();

  const ProbedLayer& layer_;
  const RoutingRule& rule_;
  const AnalysisRequest& request_;
  WindowGroups windows_;
  NullRoutings nulls_;
  std::optional<JacobianProbe> jacobian_;
  ProbeResult result_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PIPELINE_LAYER_PROBES_H_

#ifndef MOEPROBE_CORE_PIPELINE_LAYER_ANALYSIS_H_
#define MOEPROBE_CORE_PIPELINE_LAYER_ANALYSIS_H_

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/router.h"
#include "core/model/weight_arrival.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/step_report.h"
#include "core/plan/itinerary.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"

namespace moeprobe {

// Takes all tokens through one layer after the other: the forward pass and,
// where the request probes the layer, its probes.
class LayerAnalysis {
 public:
  // Both arguments must outlive the object.
  LayerAnalysis(const AnalysisRequest& request, const Checkpoint& checkpoint);

  // Runs a layer on `residual` [T, d] in place and returns what its probes
  // found; nothing if it is not a target. Where its output is not needed,
  // `residual` is not worth anything afterwards.
  //
  // Uses each weight when it has arrived.
  //
  // Returns DataLoss if the hidden states are no longer finite, or what
  // `arrival` returns if that is not OK.
  absl::StatusOr<ProbeResult> Run(const LayerVisit& visit, at::Tensor& residual,
                                  const StepReport& report,
                                  const WeightArrival& arrival) const;

 private:
  const AnalysisRequest& request_;
  const Checkpoint& checkpoint_;
  at::Tensor counted_;  // [T] bool: tokens that statistics use
};

// Returns whether a probe looks at the weights of experts, or at what they do.
bool ReadsExperts(const ProbeOptions& options);

// Returns the type the forward pass multiplies in.
at::ScalarType ComputeType(Precision precision);

// Returns the request's token ids, [T] int64.
at::Tensor TokenIds(const AnalysisRequest& request);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PIPELINE_LAYER_ANALYSIS_H_

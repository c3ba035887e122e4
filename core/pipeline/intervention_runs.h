#ifndef MOEPROBE_CORE_PIPELINE_INTERVENTION_RUNS_H_
#define MOEPROBE_CORE_PIPELINE_INTERVENTION_RUNS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "core/checkpoint/checkpoint.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/step_report.h"
#include "core/probe/expert_edits.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/redundancy_pairs.h"

namespace moeprobe {

// Returns InvalidArgument if the variants that `request` asks for do not fit
// into kMostVariantBytes.
absl::Status CheckInterventions(const AnalysisRequest& request,
                                const Checkpoint& checkpoint);
inline constexpr int64_t kMostVariantBytes = int64_t{16} << 30;

// What the model loses where experts of a probed layer are merged or ablated:
// the leading windows of the data go through each variant of the layer, then
// through the layers behind it, beside the analysis itself; so each weight is
// still read once. For each probed layer with several experts, named with it:
//   intervention_pairs [P, 2] int64    the expert that is kept, and the other
//   intervention_scores [P, 4]         as redundancy_scores
//   intervention_nll []                next-token loss of the model as it is,
//                                      over the same tokens
//   intervention_delta_nll/{kind} [P]  what an intervention adds to it
//   intervention_rank_correlation/{kind} [4]  Spearman's, of that with each
//                                      column of the scores
//
// Every variant, the model as it is among them, passes through every layer by
// itself: products of the same shapes round the same way, and an intervention
// that changes nothing adds exactly 0.
//
// Memory: (P kinds + 1) tokens d floats for each layer, until the end.
class InterventionRuns {
 public:
  // Of the layers that `request` probes, if it asks for interventions. Both
  // arguments must outlive the object.
  InterventionRuns(const AnalysisRequest& request,
                   const Checkpoint& checkpoint);

  // Remembers `residual` [T, d] in front of `layer`, where it is needed. Call
  // before the layer runs.
  void BeforeLayer(int64_t layer, const at::Tensor& residual);

  // Takes all variants through `layer` and begins with those of `layer` itself,
  // whose pairs are ranked by what `probes` found. Call after the layer has
  // run, while its weights are in memory. Returns what `report` returns if that
  // is not OK.
  absl::Status AfterLayer(int64_t layer, const ProbeResult& probes,
                          const StepReport& report);

  // Returns the arrays, in probe group "interventions/{layer}". Call after the
  // last layer of the model.
  ProbeResult Finish() const;

 private:
  struct Run {
    int64_t layer = 0;
    std::vector<ExpertPair> pairs = {};
    std::vector<EditedPair> edited = {};
    // The residual stream of each variant, [n, d]: the model as it is, then by
    // kind and pair.
    std::vector<at::Tensor> variants = {};
  };

  bool IsEdited(int64_t layer) const;
  absl::Status Begin(int64_t layer, const ProbeResult& probes);
  std::vector<double> Losses(const Run& run) const;
  void AddArrays(const Run& run, ProbeResult& result) const;

  const AnalysisRequest& request_;
  const Checkpoint& checkpoint_;
  const InterventionOptions options_;  // no pairs: none were asked for
  at::Tensor before_;  // [n, d]: in front of the layer that runs
  std::vector<Run> runs_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PIPELINE_INTERVENTION_RUNS_H_

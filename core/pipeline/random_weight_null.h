#ifndef MOEPROBE_CORE_PIPELINE_RANDOM_WEIGHT_NULL_H_
#define MOEPROBE_CORE_PIPELINE_RANDOM_WEIGHT_NULL_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/checkpoint/checkpoint.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/step_report.h"
#include "core/probe/probe_result.h"

namespace moeprobe {

// What the means of the Jacobian and PCA probes are in models that were never
// trained (SPEC: random-weight null). Each draw is a forward pass of its own,
// from the embedding to the last probed layer, with the request's tokens and
// routing, through RandomWeights.
class RandomWeightNull {
 public:
  // Both arguments must outlive the object.
  RandomWeightNull(const AnalysisRequest& request,
                   const Checkpoint& checkpoint);

  // Makes all draws; `report` is told the share of them that is done, and stops
  // them with a status other than OK. Nothing where none are asked for.
  absl::Status Draw(const StepReport& report);

  // Adds what the draws say of the means in `result`, all that the probes found
  // at `layer`; see AddSignificance.
  void AddTo(int64_t layer, ProbeResult& result) const;

 private:
  absl::Status DrawOne(int64_t draw, const StepReport& report);
  void Remember(int64_t layer, const ProbeResult& result);

  const AnalysisRequest& request_;
  const Checkpoint& checkpoint_;
  const AnalysisRequest drawn_;  // what is asked of a draw
  // By array: its printed mean in each draw; NaN where it has none.
  std::map<std::string, std::vector<double>> means_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PIPELINE_RANDOM_WEIGHT_NULL_H_

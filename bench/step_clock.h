#ifndef MOEPROBE_BENCH_STEP_CLOCK_H_
#define MOEPROBE_BENCH_STEP_CLOCK_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/pipeline/analyze.h"

namespace moeprobe {

// Watches an analysis: how long each of its steps took, over all layers, and
// how many tokens each expert of a probed layer got.
class StepClock final : public AnalysisObserver {
 public:
  absl::Status OnProgress(const std::string& phase, double fraction) override;
  absl::Status OnLayer(const LayerResult& result) override;

  // Seconds by step, such as "attention". Call after the analysis.
  const std::map<std::string, double>& seconds_by_step() const {
    return seconds_by_step_;
  }

  // Tokens routed to each expert, by probed layer.
  const std::map<int64_t, std::vector<int64_t>>& routed_counts() const {
    return routed_counts_;
  }

 private:
  // Ends the step that runs and begins `step`.
  void Begin(const std::string& step);

  std::string step_ = "opening";
  std::chrono::steady_clock::time_point begin_ =
      std::chrono::steady_clock::now();
  std::map<std::string, double> seconds_by_step_;
  std::map<int64_t, std::vector<int64_t>> routed_counts_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_STEP_CLOCK_H_

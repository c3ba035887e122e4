#ifndef MOEPROBE_CORE_PLAN_ANALYSIS_COST_H_
#define MOEPROBE_CORE_PLAN_ANALYSIS_COST_H_

#include <cstdint>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/plan/itinerary.h"
#include "core/plan/machine_rates.h"
#include "core/plan/probe_counts.h"
#include "core/plan/useful_work.h"

namespace moeprobe {

// What an analysis takes of a machine.
struct AnalysisCost {
  double seconds = 0;
  // Most memory held at any time, mapped files left out.
  int64_t peak_memory_bytes = 0;
  int64_t disk_read_bytes = 0;   // weights and hidden states
  int64_t disk_write_bytes = 0;  // hidden states

  // One after the other.
  AnalysisCost& operator+=(const AnalysisCost& other);
};

// An analysis, as far as its cost depends on it.
struct CostedAnalysis {
  TokenCounts counts;
  bool bfloat16 = false;    // arithmetic of the forward pass
  ProbeCounts probes = {};  // at each target
  // Which layers run. One behind the model's last stands for the loss.
  std::vector<LayerVisit> visits = {};
  bool keeps_hidden_states = true;
};

// Returns what an analysis takes on a machine with such rates, tokens being
// spread evenly over experts: what its definitions call for at the rate of
// matrix products, beside what elementwise operations and reading take.
AnalysisCost CostOf(const CostedAnalysis& analysis,
                    const Checkpoint& checkpoint, const MachineRates& rates);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PLAN_ANALYSIS_COST_H_

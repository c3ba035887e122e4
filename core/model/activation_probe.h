#ifndef MOEPROBE_CORE_MODEL_ACTIVATION_PROBE_H_
#define MOEPROBE_CORE_MODEL_ACTIVATION_PROBE_H_

#include <cstdint>
#include <optional>

#include "core/model/mlp.h"
#include "core/model/router.h"

namespace moeprobe {

// Takes part in a layer's forward pass: gets sums over each expert's
// pre-activations, so that nothing is computed twice, and decides on which
// tokens beside the routed ones it runs.
//
// An expert's output comes from the same products whether it is probed or not:
// the routed tokens by themselves. Products of other row counts round
// differently, and a resumed analysis would not give the same bytes.
class ActivationProbe {
 public:
  virtual ~ActivationProbe() = default;

  // Plans the run on the routed tokens: PlanRoutedTokens() with sums. `expert`
  // counts from 0; E is the shared expert, which every token is routed to.
  virtual ExpertRun Plan(int64_t expert, const ExpertTokens& routed) = 0;

  // Plans a run on other tokens, for their sums alone; nullopt if none.
  virtual std::optional<ExpertRun> PlanOthers(int64_t expert,
                                              const ExpertTokens& routed) = 0;
};

// The plan without a probe: the routed tokens, no sums.
ExpertRun PlanRoutedTokens(const ExpertTokens& routed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_ACTIVATION_PROBE_H_

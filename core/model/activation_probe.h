#ifndef MOEPROBE_CORE_MODEL_ACTIVATION_PROBE_H_
#define MOEPROBE_CORE_MODEL_ACTIVATION_PROBE_H_

#include <cstdint>

#include "core/model/gated_mlp.h"
#include "core/model/router.h"

namespace moeprobe {

// Takes part in a layer's forward pass: decides on which tokens beside the
// routed ones an expert runs, and gets sums over its pre-activations, so that
// nothing is computed twice.
class ActivationProbe {
 public:
  virtual ~ActivationProbe() = default;

  // Plans the run of an expert. `expert` counts from 0; E is the shared expert,
  // which every token is routed to. Every routed token must have an output row,
  // in order.
  virtual ExpertRun Plan(int64_t expert, const ExpertTokens& routed) = 0;
};

// The plan without a probe: the routed tokens, no sums.
ExpertRun PlanRoutedTokens(const ExpertTokens& routed);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_ACTIVATION_PROBE_H_

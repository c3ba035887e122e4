#ifndef MOEPROBE_CORE_PLAN_PROBE_COUNTS_H_
#define MOEPROBE_CORE_PLAN_PROBE_COUNTS_H_

#include <cstdint>

namespace moeprobe {

// What is computed at a probed layer, as numbers of things: the one place where
// the cost of a probe begins. 0: the probe is not run.
struct ProbeCounts {
  int64_t weightings = 0;   // of averaged Jacobians
  bool all_tokens = false;  // one of them averages over every token
  // Readings of the PCA; that of all tokens comes with it.
  int64_t conventions = 0;
  bool reference = false;          // PCA of all tokens
  int64_t spectra_tokens = 0;      // of each expert
  int64_t router_term_tokens = 0;  // of the layer
  int64_t compared_tokens = 0;     // that the outputs of all experts are at
  int64_t compared_rank = 0;       // of subspaces of the experts' weights
  int64_t aligned_tokens = 0;      // that Jacobians are compared at
  int64_t routings = 0;            // drawn for nulls
  int64_t bootstrap = 0;           // draws of windows
  int64_t random_weights = 0;      // models drawn, that all this is done in
  int64_t variants = 0;            // of the layer, in place of experts' pairs
  int64_t variant_tokens = 0;      // that variants are run on

  // Whether a probe looks at the weights of experts, or at what they do.
  bool ReadsExperts() const {
    return weightings + spectra_tokens + router_term_tokens + compared_tokens +
               compared_rank >
           0;
  }
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PLAN_PROBE_COUNTS_H_

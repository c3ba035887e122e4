#ifndef MOEPROBE_CORE_PROBE_TOKEN_BOOTSTRAP_H_
#define MOEPROBE_CORE_PROBE_TOKEN_BOOTSTRAP_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/probe/probe_result.h"
#include "core/significance/window_groups.h"

namespace moeprobe {

// A quantity at the tokens that an expert was sampled at.
struct TokenValues {
  at::Tensor tokens;  // [n] int64
  at::Tensor values;  // [n] float64
};

// Intervals of printed means of quantities that are taken at single tokens: the
// mean over experts of each one's mean over its sampled tokens. Windows are
// resampled, so tokens of one window group come and go together, for all
// experts at once; the sample of tokens stays what it is.
class TokenBootstrap {
 public:
  // Without draws: Add does nothing.
  TokenBootstrap() = default;

  TokenBootstrap(WindowGroups groups, int64_t draws, int64_t seed);

  // Adds {quantity}/se, /interval and /bootstrap_draws of probe group `probe`
  // to `result`; see AddSignificance. An expert without tokens, or with a token
  // where the quantity is NaN, is left out, as in the printed mean; so is one
  // in a draw that holds none of its tokens.
  void Add(const std::string& quantity, const std::string& probe,
           const std::vector<TokenValues>& experts, ProbeResult& result) const;

 private:
  WindowGroups groups_;
  at::Tensor counts_;  // [draws, G] float64
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_TOKEN_BOOTSTRAP_H_

#ifndef MOEPROBE_CORE_PIPELINE_HIDDEN_STATES_H_
#define MOEPROBE_CORE_PIPELINE_HIDDEN_STATES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/hidden_state_store.h"
#include "core/pipeline/analyze.h"

namespace moeprobe {

// Where an analysis gets hidden states that it need not compute, and keeps
// those that this or another one may start from again.
class HiddenStates {
 public:
  // Both arguments must outlive the object.
  HiddenStates(const AnalysisRequest& request, const Checkpoint& checkpoint);

  // Returns in front of which layers hidden states are stored, each with the
  // fingerprint of the layer before.
  std::map<int64_t, std::string> Stored() const;

  // Returns the hidden states in front of `layer`: the embedding for layer 0,
  // else stored ones; nullopt if those are lost, or the layer before has not
  // this fingerprint. Stored() then names them no more.
  std::optional<HiddenState> Fetch(int64_t layer,
                                   const std::string& fingerprint);

  // Stores hidden states that were computed. `lasting`: for others, too; else
  // they only serve to go on after an interruption, and make room for the next.
  //
  // After an error nothing more is stored, and nothing is an error.
  absl::Status Keep(const HiddenState& state, bool lasting);

 private:
  const AnalysisRequest& request_;
  const Checkpoint& checkpoint_;
  HiddenStateStore store_;
  bool storing_;
  std::set<int64_t> lost_;
  std::optional<int64_t> passing_;  // where the last states stand that go again
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PIPELINE_HIDDEN_STATES_H_

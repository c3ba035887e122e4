#ifndef MOEPROBE_CORE_MODEL_HIDDEN_STATE_SPILL_H_
#define MOEPROBE_CORE_MODEL_HIDDEN_STATE_SPILL_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "absl/status/status.h"

namespace moeprobe {

// The residual stream between two layers.
struct HiddenState {
  int64_t next_layer = 0;  // the layer it goes into
  std::string fingerprint =
      {};               // of the layer before: see weight_fingerprint.h
  at::Tensor residual;  // [T, d] float32
};

// A file that holds the residual stream after the last finished layer, so that
// a later attempt goes on from there. Each write replaces the one before, whole
// or not at all; damage is noticed by digest.
class HiddenStateSpill {
 public:
  // `directory` need not exist yet. `key` stands for everything that determines
  // the hidden states: a file written under another key is not used.
  HiddenStateSpill(std::filesystem::path directory, std::string key);

  // Returns what was last written; nullopt if there is nothing usable.
  std::optional<HiddenState> Read() const;

  // Replaces what was last written. ResourceExhausted if the disk is full.
  absl::Status Write(const HiddenState& state) const;

 private:
  std::filesystem::path directory_;
  std::string key_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_HIDDEN_STATE_SPILL_H_

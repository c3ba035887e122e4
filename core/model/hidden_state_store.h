#ifndef MOEPROBE_CORE_MODEL_HIDDEN_STATE_STORE_H_
#define MOEPROBE_CORE_MODEL_HIDDEN_STATE_STORE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "core/base/bounded_directory.h"

namespace moeprobe {

// The residual stream between two layers.
struct HiddenState {
  int64_t next_layer = 0;  // the layer it goes into
  std::string fingerprint =
      {};               // of the layer before: see weight_fingerprint.h
  at::Tensor residual;  // [T, d] float32
};

// Residual streams of one model on one text in a directory that other stores,
// of this process and others, share: one file for each layer, whole or not at
// all. Damage is noticed by digest. Any file may be evicted at any time.
class HiddenStateStore {
 public:
  // `key`, without '-', stands for everything that determines the hidden
  // states but the layer: those written under another key are not seen.
  HiddenStateStore(BoundedDirectory directory, std::string key)
      : directory_(std::move(directory)), key_(std::move(key)) {}

  // Returns in front of which layers hidden states are stored, each with the
  // fingerprint of the layer before.
  std::map<int64_t, std::string> Stored() const;

  // Returns the hidden states in front of a layer; nullopt if they are not
  // there. Damaged ones are removed.
  std::optional<HiddenState> Read(int64_t next_layer) const;

  // ResourceExhausted if the limit or the disk leaves no room.
  absl::Status Write(const HiddenState& state) const;

  void Remove(int64_t next_layer) const;

 private:
  BoundedDirectory directory_;
  std::string key_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_HIDDEN_STATE_STORE_H_

#ifndef MOEPROBE_CORE_PLAN_HIDDEN_STATE_KEY_H_
#define MOEPROBE_CORE_PLAN_HIDDEN_STATE_KEY_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "core/base/bounded_directory.h"

namespace moeprobe {

// A rule of routing: see core/model/routing_rule.h.
struct ForwardRouting {
  int64_t per_token = 0;
  bool renormalize = false;
  double temperature = 1;
};

// Everything that determines hidden states to the last bit, but the layer.
struct HiddenStateFields {
  std::string stamp;             // Checkpoint::stamp()
  std::string config_sha256;     // Checkpoint::config_sha256()
  std::string data_fingerprint;  // of the ids as cut, with no position left out
  bool bfloat16 = false;         // arithmetic of the forward pass
  int threads = 0;
  std::string libtorch_version;
  // Of the forward pass; nullopt: the model's own.
  std::optional<ForwardRouting> routing = {};
};

// Returns the key under which hidden states are stored: a digest of the fields
// with the version of the numerics.
std::string HiddenStateKey(const HiddenStateFields& fields);

// Returns the name of the file with the hidden states in front of a layer.
std::string HiddenStateName(const std::string& key, int64_t layer);

// Returns in front of which layers hidden states are stored under a key.
std::set<int64_t> LayersStored(const BoundedDirectory& directory,
                               const std::string& key);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PLAN_HIDDEN_STATE_KEY_H_

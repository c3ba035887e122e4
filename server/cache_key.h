#ifndef MOEPROBE_SERVER_CACHE_KEY_H_
#define MOEPROBE_SERVER_CACHE_KEY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/worker_service.pb.h"

namespace moeprobe {

// Everything that determines the arrays of one group at one layer.
struct CacheKeyFields {
  std::string weights_fingerprint;  // of the layer
  std::string data_fingerprint;
  v1::Precision precision = v1::PRECISION_FLOAT32;
  v1::Device device = v1::DEVICE_CPU;     // where it runs, never DEVICE_AUTO
  int64_t layer = 0;                      // -1: of the whole model
  std::string group;                      // see ProbeGroups
  int64_t seed = 0;                       // counts where a group is random
  const v1::ProbeSpec* probes = nullptr;  // resolved; required
  const v1::NullSpec* nulls = nullptr;    // resolved; required for their groups
  std::optional<v1::RoutingRule> routing = {};  // nullopt: the model's own
};

// Returns the key of the cache: a digest of the fields as text, in a fixed
// order, with the version of the numerics.
std::string CacheKey(const CacheKeyFields& fields);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_CACHE_KEY_H_

#ifndef MOEPROBE_CLIENT_RESULT_RANKED_PAIRS_H_
#define MOEPROBE_CLIENT_RESULT_RANKED_PAIRS_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/service/client.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {

// Two experts; what was not computed is NaN.
struct RankedPair {
  int64_t first = 0;
  int64_t second = 0;
  double alignment = 0;
  double output_similarity = 0;
  double distance = 0;
  double weight_overlap = 0;
};

// The pairs of one layer, the closest in function first.
struct LayerPairs {
  std::string prefix;  // "", "data1/"
  int64_t layer = 0;
  std::vector<RankedPair> pairs = {};
};

// Reads the redundancy report of a result, layer by layer; layers with one
// expert are left out. Empty if there is none. Errors: those of ReadArrays;
// DataLoss for arrays of another form.
absl::StatusOr<std::vector<LayerPairs>> ReadRankedPairs(
    Client& client, const v1::Result& result);

// Returns the first `top` pairs of each layer as one table, and under it how
// they are ordered and what they do not say; no line wider than `width` where
// that can be had. Empty if there are no layers.
std::string RankedPairsText(const std::vector<LayerPairs>& layers, int64_t top,
                            int width);

// Returns the same as a list of layers; what was not computed is null.
nlohmann::ordered_json RankedPairsJson(const std::vector<LayerPairs>& layers,
                                       int64_t top);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_RANKED_PAIRS_H_

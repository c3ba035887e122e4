#ifndef MOEPROBE_CORE_CHECKPOINT_WEIGHT_INDEX_H_
#define MOEPROBE_CORE_CHECKPOINT_WEIGHT_INDEX_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace moeprobe {

// Which tensors the shards of a model hold, as model.safetensors.index.json
// says: tensor names by shard's file name.
using WeightIndex = std::map<std::string, std::vector<std::string>>;

// Reads the text of a model.safetensors.index.json. Its metadata are ignored:
// their total_size is often wrong, and nothing needs it.
//
// Shards are plain names of files beside the index, at most 4,096 of them.
//
// Errors: InvalidArgument for malformed JSON, a missing or empty weight_map, a
// shard that is not a plain file name, or too many; Unimplemented for a shard
// that is not a .safetensors file.
absl::StatusOr<WeightIndex> ParseWeightIndex(std::string_view json);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_WEIGHT_INDEX_H_

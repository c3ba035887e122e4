// Where the weights of a model directory are.

#ifndef MOEPROBE_CORE_CHECKPOINT_WEIGHT_FILES_H_
#define MOEPROBE_CORE_CHECKPOINT_WEIGHT_FILES_H_

#include <cstdint>
#include <string_view>

namespace moeprobe {

// All of them, in a directory that has it.
inline constexpr std::string_view kSingleWeightFile = "model.safetensors";

// Otherwise it names the shards; see ParseWeightIndex.
inline constexpr std::string_view kWeightIndexFile =
    "model.safetensors.index.json";
inline constexpr int64_t kMaxWeightIndexBytes = int64_t{64} << 20;

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_WEIGHT_FILES_H_

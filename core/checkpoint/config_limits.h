#ifndef MOEPROBE_CORE_CHECKPOINT_CONFIG_LIMITS_H_
#define MOEPROBE_CORE_CHECKPOINT_CONFIG_LIMITS_H_

#include <cstdint>

namespace moeprobe {

// The largest sizes that a config.json may state: far beyond any model, and
// small enough that no product of the sizes of one tensor overflows 64 bits.
inline constexpr int64_t kMaxLayers = 10'000;
inline constexpr int64_t kMaxWidth = int64_t{1} << 20;
inline constexpr int64_t kMaxHeads = int64_t{1} << 14;
inline constexpr int64_t kMaxHeadWidth = int64_t{1} << 14;
inline constexpr int64_t kMaxExperts = int64_t{1} << 14;
inline constexpr int64_t kMaxVocabulary = int64_t{1} << 26;
inline constexpr int64_t kMaxLearnedPositions = int64_t{1} << 26;
inline constexpr int64_t kMaxPositions = int64_t{1} << 40;

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_CONFIG_LIMITS_H_

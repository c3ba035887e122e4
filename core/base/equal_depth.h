#ifndef MOEPROBE_CORE_BASE_EQUAL_DEPTH_H_
#define MOEPROBE_CORE_BASE_EQUAL_DEPTH_H_

#include <cstdint>

namespace moeprobe {

// Returns the layer of a model of `other_count` layers at the depth that
// `layer` has in one of `count`: round(layer (other_count - 1) / (count - 1)),
// halves up. A model's only layer is its first. `layer` is in [0, count), both
// counts are at least 1.
int64_t LayerAtEqualDepth(int64_t layer, int64_t count, int64_t other_count);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_EQUAL_DEPTH_H_

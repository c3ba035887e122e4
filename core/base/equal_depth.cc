#include "core/base/equal_depth.h"

#include <cstdint>

namespace moeprobe {

int64_t LayerAtEqualDepth(int64_t layer, int64_t count, int64_t other_count) {
  const int64_t last = count - 1;
  if (last == 0) return 0;
  return (2 * layer * (other_count - 1) + last) / (2 * last);
}

}  // namespace moeprobe

#ifndef MOEPROBE_CORE_SIGNIFICANCE_WINDOW_GROUPS_H_
#define MOEPROBE_CORE_SIGNIFICANCE_WINDOW_GROUPS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace moeprobe {

// Below so many windows an interval from resampling them is too narrow to be
// taken at its word.
inline constexpr int64_t kFewWindows = 30;

// What is resampled: windows, in groups so that sums can be kept by group.
struct WindowGroups {
  int64_t count = 0;    // G = min(number of windows, 64)
  at::Tensor of_token;  // [T] int64: window w belongs to group w mod G
};

// Groups the windows of `sequence_length` tokens that `token_count` tokens are.
WindowGroups GroupWindows(int64_t token_count, int64_t sequence_length);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_SIGNIFICANCE_WINDOW_GROUPS_H_

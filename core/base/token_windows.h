#ifndef MOEPROBE_CORE_BASE_TOKEN_WINDOWS_H_
#define MOEPROBE_CORE_BASE_TOKEN_WINDOWS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace moeprobe {

// How token ids become independent sequences (SPEC: input).
struct WindowOptions {
  int64_t tokens = 16384;  // at most so many leading ids; -1: all
  int64_t sequence_length = 512;
  int64_t skip_first = 0;  // positions of each window left out of statistics
};

// Returns those of `ids` that are in whole windows: the first `tokens`, or all
// there are, without the last partial window.
//
// Returns InvalidArgument if not even one window fits, or an option is out of
// range.
absl::StatusOr<std::span<const int32_t>> WholeWindows(
    std::span<const int32_t> ids, const WindowOptions& options);

// The same of ids that are given away.
absl::StatusOr<std::vector<int32_t>> CutWindows(std::vector<int32_t> ids,
                                                const WindowOptions& options);

// Returns a digest of ids as cut: the same for the same windows and the same
// positions left out, wherever the ids came from.
std::string DataFingerprint(std::span<const int32_t> cut_ids,
                            const WindowOptions& options);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_TOKEN_WINDOWS_H_

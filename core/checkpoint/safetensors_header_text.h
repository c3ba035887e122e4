#ifndef MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_HEADER_TEXT_H_
#define MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_HEADER_TEXT_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"

namespace moeprobe {

// Of the length of the JSON text, in front of it.
inline constexpr size_t kHeaderLengthBytes = 8;

// Returns where the data begin in a safetensors file of `file_bytes`. `start`:
// its first kHeaderLengthBytes or more, or all of a shorter one.
//
// Errors: DataLoss if the length in the first 8 bytes is beyond the file or the
// limits (ParseSafetensorsHeader); Unimplemented if the file is a pickle or a
// zip archive instead.
absl::StatusOr<size_t> FindDataBegin(std::span<const std::byte> start,
                                     size_t file_bytes);

// Returns the JSON text in front of the data; `start` holds all of it. Errors:
// those of FindDataBegin.
absl::StatusOr<std::string_view> FindHeaderText(
    std::span<const std::byte> start, size_t file_bytes);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_HEADER_TEXT_H_

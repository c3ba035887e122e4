#ifndef MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_HEADER_TEXT_H_
#define MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_HEADER_TEXT_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"

namespace moeprobe {

// Returns the JSON text in front of a safetensors file that lies in memory; the
// data begin where it ends.
//
// Errors: DataLoss if the length in the first 8 bytes is beyond the file or the
// limits (ParseSafetensorsHeader); Unimplemented if the file is a pickle or a
// zip archive instead.
absl::StatusOr<std::string_view> FindHeaderText(
    std::span<const std::byte> file);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_HEADER_TEXT_H_

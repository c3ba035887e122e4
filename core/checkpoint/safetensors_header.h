#ifndef MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_HEADER_H_
#define MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_HEADER_H_

#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/checkpoint/header_tensor.h"

namespace moeprobe {

// What the header of a safetensors file says.
struct SafetensorsHeader {
  std::vector<HeaderTensor> tensors;  // in the order of their bytes
  size_t data_begin = 0;              // in the file
};

// Reads the header of a safetensors file of `file_bytes`. `start`: its first
// bytes, as far as FindDataBegin() or farther, or all of a shorter one. The
// tensors come in the order of their bytes.
//
// The rules are those of the format, as strictly as its text has them: a header
// of at most 100,000,000 bytes in front, one JSON object without duplicate
// keys, every tensor with exactly dtype, shape and data_offsets, data without
// holes, overlaps or bytes to spare. White space in front of the object is
// accepted, as the reference implementation does. Limits of our own: a header
// beyond 8 MiB is at most a twentieth of the file; 1,000,000 tensors; 8
// dimensions; names of 1,024 bytes without control characters.
//
// Errors: DataLoss for anything that breaks a rule; Unimplemented for an
// unknown dtype, and for pickles and zip archives, which may run code.
absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(
    std::span<const std::byte> start, size_t file_bytes);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_HEADER_H_

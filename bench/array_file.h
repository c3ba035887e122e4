#ifndef MOEPROBE_BENCH_ARRAY_FILE_H_
#define MOEPROBE_BENCH_ARRAY_FILE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moeprobe {

// Writes `tensor` as a .npy that a peer can read; makes its directory if need
// be. Errors: PermissionDenied if it cannot be written.
absl::Status WriteArray(const std::filesystem::path& path,
                        const at::Tensor& tensor);

// Reads the token ids of a .npy, without the last partial window. Errors: those
// of ReadFile, DecodeTokenIds and CutWindows.
absl::StatusOr<std::vector<int32_t>> ReadWindows(
    const std::filesystem::path& path, int64_t sequence_length);

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_ARRAY_FILE_H_

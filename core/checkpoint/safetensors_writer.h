#ifndef MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_WRITER_H_
#define MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_WRITER_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace moeprobe {

// A tensor to be written.
struct SafetensorsEntry {
  std::string name;
  std::string_view dtype;  // as the format calls it: "F32", "I64"
  std::vector<int64_t> shape;
  std::string_view bytes;  // not owned
};

// Returns what stands in front of the tensors' bytes in a safetensors file: the
// length of the header, and the header, filled up with spaces so that data lie
// at a multiple of 8. It says that the format is "pt", as transformers wants.
std::string SafetensorsPrefix(const std::vector<SafetensorsEntry>& tensors);

// Writes `tensors`, whose names differ, in their order, whole or not at all.
// The same tensors give the same bytes.
//
// Errors: those of WriteWholeFile.
absl::Status WriteSafetensors(const std::filesystem::path& path,
                              const std::vector<SafetensorsEntry>& tensors);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_WRITER_H_

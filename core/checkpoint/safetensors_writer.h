#ifndef MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_WRITER_H_
#define MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_WRITER_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/checkpoint/tensor_view.h"

namespace moeprobe {

// Returns what stands in front of the tensors' bytes in a safetensors file: the
// length of the header, and the header, filled up with spaces so that data lie
// at a multiple of 8. It says that the format is "pt", as transformers wants.
std::string SafetensorsPrefix(const std::vector<TensorView>& tensors);

// Writes `tensors`, whose names differ, in their order, whole or not at all.
// The same tensors give the same bytes.
//
// Errors: those of WriteWholeFile.
absl::Status WriteSafetensors(const std::filesystem::path& path,
                              const std::vector<TensorView>& tensors);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_WRITER_H_

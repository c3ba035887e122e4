#ifndef MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_FILE_H_
#define MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_FILE_H_

#include <cstddef>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/file_identity.h"
#include "core/base/mapped_file.h"
#include "core/checkpoint/header_tensor.h"
#include "core/checkpoint/safetensors_header.h"

namespace moeprobe {

// A safetensors file, mapped, its header read and checked. No page is touched
// through the mapping before somebody looks at BytesOf(): a file that is cut,
// or on a disk that fails, gives an error here.
class SafetensorsFile {
 public:
  // Errors: those of MappedFile::Open, ReadUntil and ParseSafetensorsHeader,
  // with the path in front.
  static absl::StatusOr<SafetensorsFile> Open(
      const std::filesystem::path& path) {
    return Open(path, path);
  }

  // Opens what `handle` leads to; path() is `path`.
  static absl::StatusOr<SafetensorsFile> Open(
      const std::filesystem::path& path, const std::filesystem::path& handle);

  const std::filesystem::path& path() const { return path_; }
  const FileIdentity& identity() const { return mapping_.identity(); }

  // In the order of their bytes.
  const std::vector<HeaderTensor>& tensors() const { return header_.tensors; }

  // The bytes of one of tensors(), mapped as long as this lives.
  std::span<const std::byte> BytesOf(const HeaderTensor& tensor) const;

 private:
  SafetensorsFile(std::filesystem::path path, MappedFile mapping,
                  SafetensorsHeader header)
      : path_(std::move(path)),
        mapping_(std::move(mapping)),
        header_(std::move(header)) {}

  std::filesystem::path path_;
  MappedFile mapping_;
  SafetensorsHeader header_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_SAFETENSORS_FILE_H_

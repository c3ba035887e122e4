#include "core/checkpoint/safetensors_file.h"

#include <cstddef>
#include <filesystem>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/mapped_file.h"
#include "core/base/status_context.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/header_tensor.h"
#include "core/checkpoint/safetensors_header.h"

namespace moeprobe {

absl::StatusOr<SafetensorsFile> SafetensorsFile::Open(
    const std::filesystem::path& path, const std::filesystem::path& handle) {
  MOEPROBE_ASSIGN_OR_RETURN(MappedFile mapping, MappedFile::Open(handle));
  absl::StatusOr<SafetensorsHeader> header =
      ParseSafetensorsHeader(mapping.bytes());
  if (!header.ok()) return WithContext(header.status(), path.native());
  return SafetensorsFile(path, std::move(mapping), *std::move(header));
}

std::span<const std::byte> SafetensorsFile::BytesOf(
    const HeaderTensor& tensor) const {
  return header_.data.subspan(static_cast<size_t>(tensor.begin),
                              static_cast<size_t>(tensor.end - tensor.begin));
}

}  // namespace moeprobe

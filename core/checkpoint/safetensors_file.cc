#include "core/checkpoint/safetensors_file.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"
#include "core/base/mapped_file.h"
#include "core/base/status_context.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/header_tensor.h"
#include "core/checkpoint/safetensors_header.h"
#include "core/checkpoint/safetensors_header_text.h"

namespace moeprobe {

absl::StatusOr<SafetensorsFile> SafetensorsFile::Open(
    const std::filesystem::path& path, const std::filesystem::path& handle) {
  MOEPROBE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenRegularFile(handle));
  MOEPROBE_ASSIGN_OR_RETURN(MappedFile mapping, MappedFile::Map(file, handle));
  const size_t file_bytes = mapping.bytes().size();
  std::string start;
  MOEPROBE_RETURN_IF_ERROR(
      ReadUntil(file, std::min(kHeaderLengthBytes, file_bytes), start, handle));
  const auto data_begin =
      FindDataBegin(std::as_bytes(std::span(start)), file_bytes);
  if (!data_begin.ok()) return WithContext(data_begin.status(), path.native());
  MOEPROBE_RETURN_IF_ERROR(ReadUntil(file, *data_begin, start, handle));
  absl::StatusOr<SafetensorsHeader> header =
      ParseSafetensorsHeader(std::as_bytes(std::span(start)), file_bytes);
  if (!header.ok()) return WithContext(header.status(), path.native());
  return SafetensorsFile(path, std::move(mapping), *std::move(header));
}

std::span<const std::byte> SafetensorsFile::BytesOf(
    const HeaderTensor& tensor) const {
  return mapping_.bytes().subspan(
      header_.data_begin + static_cast<size_t>(tensor.begin),
      static_cast<size_t>(tensor.end - tensor.begin));
}

}  // namespace moeprobe

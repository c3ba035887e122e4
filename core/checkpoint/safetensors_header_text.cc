#include "core/checkpoint/safetensors_header_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr uint64_t kAlwaysAllowedHeaderBytes = uint64_t{8} << 20;
constexpr uint64_t kFileBytesPerHeaderByte = 20;

// The length in front of the header: little-endian, whatever the machine.
uint64_t HeaderLength(std::span<const std::byte> start) {
  uint64_t length = 0;
  for (size_t i = kHeaderLengthBytes; i-- > 0;) {
    length = length << 8 | std::to_integer<uint64_t>(start[i]);
  }
  return length;
}

// What a file that is no safetensors file seems to be.
absl::Status ForeignFile(std::string_view start) {
  if (start.starts_with("PK\x03\x04") || start.starts_with('\x80')) {
    return absl::UnimplementedError(absl::StrCat(
        "is a ", start[0] == 'P' ? "zip archive" : "pickle",
        " as torch.save writes, which may run code when read, expected "
        "safetensors: load it with transformers where you trust it and call "
        "save_pretrained"));
  }
  if (start.starts_with("version ")) {
    return absl::DataLossError(
        "is a Git LFS pointer, expected the weights it points to: fetch them "
        "with git lfs pull");
  }
  return absl::OkStatus();
}

absl::Status CheckHeaderLength(uint64_t length, uint64_t file_bytes) {
  const uint64_t limit =
      std::min(kMaxHeaderBytes, std::max(kAlwaysAllowedHeaderBytes,
                                         file_bytes / kFileBytesPerHeaderByte));
  if (length > file_bytes - kHeaderLengthBytes) {
    return absl::DataLossError(absl::StrCat(
        "the header claims ", length, " bytes, expected at most the ",
        file_bytes - kHeaderLengthBytes, " that follow its length"));
  }
  if (length <= limit) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the header claims ", length,
                                          " bytes, expected at most ", limit,
                                          " in a file of ", file_bytes));
}

std::string_view TextOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

absl::StatusOr<size_t> FindDataBegin(std::span<const std::byte> start,
                                     size_t file_bytes) {
  if (file_bytes < kHeaderLengthBytes) {
    return absl::DataLossError(
        absl::StrCat("is ", file_bytes,
                     " bytes, expected at least the 8 of the header's length"));
  }
  const uint64_t length = HeaderLength(start);
  absl::Status status = CheckHeaderLength(length, file_bytes);
  if (!status.ok()) {
    MOEPROBE_RETURN_IF_ERROR(
        ForeignFile(TextOf(start.first(kHeaderLengthBytes))));
    return status;
  }
  return kHeaderLengthBytes + static_cast<size_t>(length);
}

absl::StatusOr<std::string_view> FindHeaderText(
    std::span<const std::byte> start, size_t file_bytes) {
  MOEPROBE_ASSIGN_OR_RETURN(const size_t data_begin,
                            FindDataBegin(start, file_bytes));
  return TextOf(
      start.subspan(kHeaderLengthBytes, data_begin - kHeaderLengthBytes));
}

}  // namespace moeprobe

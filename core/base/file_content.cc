#include "core/base/file_content.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/disk_error.h"
#include "core/base/file_descriptor.h"
#include "core/base/file_identity.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

absl::Status CheckName(const std::filesystem::path& path,
                       const std::string& sha256) {
  if (path.filename() == sha256) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path.native(), ": its content has SHA-256 ", sha256,
                   ", expected the one that names it: it is damaged"));
}

}  // namespace

absl::StatusOr<FileContent> ReadFile(const std::filesystem::path& path,
                                     int64_t max_bytes) {
  MOEPROBE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenRegularFile(path));
  MOEPROBE_ASSIGN_OR_RETURN(const FileIdentity identity,
                            IdentityOf(file, path));
  if (identity.size_bytes > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.native(), ": is ", identity.size_bytes,
                     " bytes, expected at most ", max_bytes));
  }
  std::string bytes;
  MOEPROBE_RETURN_IF_ERROR(
      ReadUntil(file, static_cast<size_t>(identity.size_bytes), bytes, path));
  return FileContent{.bytes = std::move(bytes), .identity = identity};
}

absl::StatusOr<std::string> ReadBlob(const std::filesystem::path& path,
                                     int64_t max_bytes) {
  MOEPROBE_ASSIGN_OR_RETURN(FileContent file, ReadFile(path, max_bytes));
  MOEPROBE_RETURN_IF_ERROR(CheckName(path, Sha256Hex(file.bytes)));
  return std::move(file.bytes);
}

absl::Status CheckBlob(const std::filesystem::path& path) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string sha256, Sha256OfFile(path));
  return CheckName(path, sha256);
}

absl::Status VisitPieces(const FileDescriptor& file,
                         const std::filesystem::path& path, PieceVisit visit) {
  if (lseek(file.number(), 0, SEEK_SET) != 0) return DiskError(errno, path);
  std::vector<char> piece(kFilePieceBytes);
  while (true) {
    MOEPROBE_ASSIGN_OR_RETURN(const size_t size, ReadSome(file, piece, path));
    if (size == 0) return absl::OkStatus();
    MOEPROBE_RETURN_IF_ERROR(visit({piece.data(), size}));
  }
}

}  // namespace moeprobe

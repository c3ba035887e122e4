#ifndef MOEPROBE_CORE_BASE_FILE_CONTENT_H_
#define MOEPROBE_CORE_BASE_FILE_CONTENT_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"
#include "core/base/file_identity.h"

namespace moeprobe {

// A small file in memory, and which state of the file it was.
struct FileContent {
  std::string bytes;
  FileIdentity identity;
};

// Reads a whole regular file.
//
// Errors: those of OpenRegularFile; InvalidArgument if it is larger than
// `max_bytes`; Aborted if it changed while it was read.
absl::StatusOr<FileContent> ReadFile(const std::filesystem::path& path,
                                     int64_t max_bytes);

// Reads a blob: a whole regular file that the SHA-256 of its content names.
//
// Errors: those of ReadFile; DataLoss if its content has another.
absl::StatusOr<std::string> ReadBlob(const std::filesystem::path& path,
                                     int64_t max_bytes);

// Looks at all of a blob, a piece of it in memory at a time. Errors: those of
// ReadBlob, of whatever size it is.
absl::Status CheckBlob(const std::filesystem::path& path);

// Calls visit(piece) for all of a file in order, from its beginning to where it
// ends by then, at most kFilePieceBytes at a time, until it returns an error.
// `path` is for messages. Errors: those of the visit and of DiskError.
inline constexpr size_t kFilePieceBytes = size_t{1} << 20;
using PieceVisit = absl::FunctionRef<absl::Status(std::string_view piece)>;
absl::Status VisitPieces(const FileDescriptor& file,
                         const std::filesystem::path& path, PieceVisit visit);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_FILE_CONTENT_H_

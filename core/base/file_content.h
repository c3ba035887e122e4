#ifndef MOEPROBE_CORE_BASE_FILE_CONTENT_H_
#define MOEPROBE_CORE_BASE_FILE_CONTENT_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
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

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_FILE_CONTENT_H_

#ifndef MOEPROBE_CORE_BASE_FILE_IDENTITY_H_
#define MOEPROBE_CORE_BASE_FILE_IDENTITY_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {

// What tells one state of a file from another without reading it.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size_bytes = 0;
  int64_t modified_ns = 0;  // since the epoch

  bool operator==(const FileIdentity&) const = default;

  // One line, for digests.
  std::string ToString() const;
};

// Returns the identity of an open file. `path` is for messages.
absl::StatusOr<FileIdentity> IdentityOf(const FileDescriptor& file,
                                        const std::filesystem::path& path);

// OK if `path` still leads to the file and state that `identity` describes;
// FailedPrecondition that says what changed otherwise; those of DiskError that
// may pass where that cannot be told.
absl::Status CheckIdentity(const std::filesystem::path& path,
                           const FileIdentity& identity);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_FILE_IDENTITY_H_

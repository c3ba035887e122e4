#ifndef MOEPROBE_CORE_BASE_WHOLE_FILE_H_
#define MOEPROBE_CORE_BASE_WHOLE_FILE_H_

#include <filesystem>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {

// Writes `pieces`, one after the other, as a file that is there whole or not at
// all, and on the disk when this returns; what it replaces stays until then. A
// process that dies in between leaves a file called `path` and ".partial",
// which the next call overwrites: only one process may write to a path at a
// time.
//
// Errors, after which nothing is left behind: those of DiskError.
absl::Status WriteWholeFile(const std::filesystem::path& path,
                            const std::vector<std::string_view>& pieces);

// Writes all of `bytes` at the position of `file`, which errors, those of
// DiskError, call `path`.
absl::Status WriteAll(const FileDescriptor& file, std::string_view bytes,
                      const std::filesystem::path& path);

// Waits until the content of a file that somebody else wrote is on the disk.
absl::Status SyncFile(const std::filesystem::path& path);

// Waits until the names in a directory are on the disk.
absl::Status SyncDirectory(const std::filesystem::path& directory);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_WHOLE_FILE_H_

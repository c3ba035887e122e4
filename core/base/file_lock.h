#ifndef MOEPROBE_CORE_BASE_FILE_LOCK_H_
#define MOEPROBE_CORE_BASE_FILE_LOCK_H_

#include <filesystem>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {

// Keeps something to one holder, of this process or another. Held until
// destroyed; the system lets go when the process ends, however it ends.
class FileLock {
 public:
  // Locks the file at `path`, which is made if there is none; its directory
  // exists. nullopt if somebody holds it. Errors name the path.
  static absl::StatusOr<std::optional<FileLock>> TryAcquire(
      const std::filesystem::path& path);

  // Locks a directory, which exists. nullopt if somebody holds it, or held it
  // just now and removed it or gave it another name. Errors name the path.
  static absl::StatusOr<std::optional<FileLock>> TryAcquireDirectory(
      const std::filesystem::path& path);

  // The file, open to read and write, or the directory, open to read.
  const FileDescriptor& file() const { return file_; }

 private:
  explicit FileLock(FileDescriptor file) : file_(std::move(file)) {}

  FileDescriptor file_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_FILE_LOCK_H_

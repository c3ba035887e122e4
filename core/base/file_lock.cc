#include "core/base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/disk_error.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {

absl::StatusOr<std::optional<FileLock>> FileLock::TryAcquire(
    const std::filesystem::path& path) {
  FileDescriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.number() < 0) return DiskError(errno, path);
  if (flock(file.number(), LOCK_EX | LOCK_NB) == 0) {
    return FileLock(std::move(file));
  }
  if (errno == EWOULDBLOCK) return std::nullopt;
  return DiskError(errno, path);
}

}  // namespace moeprobe

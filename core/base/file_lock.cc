#include "core/base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {

absl::StatusOr<std::optional<FileLock>> FileLock::TryAcquire(
    const std::filesystem::path& path) {
  FileDescriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.number() < 0) return absl::ErrnoToStatus(errno, path.native());
  if (flock(file.number(), LOCK_EX | LOCK_NB) == 0) {
    return FileLock(std::move(file));
  }
  if (errno == EWOULDBLOCK) return std::nullopt;
  return absl::ErrnoToStatus(errno, path.native());
}

}  // namespace moeprobe

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
#include "core/base/file_identity.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

// Whether nobody else holds it.
absl::StatusOr<bool> TryLock(const FileDescriptor& file,
                             const std::filesystem::path& path) {
  if (flock(file.number(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return DiskError(errno, path);
}

}  // namespace

absl::StatusOr<std::optional<FileLock>> FileLock::TryAcquire(
    const std::filesystem::path& path) {
  FileDescriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.number() < 0) return DiskError(errno, path);
  MOEPROBE_ASSIGN_OR_RETURN(const bool locked, TryLock(file, path));
  if (!locked) return std::nullopt;
  return FileLock(std::move(file));
}

absl::StatusOr<std::optional<FileLock>> FileLock::TryAcquireDirectory(
    const std::filesystem::path& path) {
  FileDescriptor directory(
      open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (directory.number() < 0) return DiskError(errno, path);
  MOEPROBE_ASSIGN_OR_RETURN(const bool locked, TryLock(directory, path));
  if (!locked) return std::nullopt;
  // Whoever held it may have done something to its name since it was opened.
  MOEPROBE_ASSIGN_OR_RETURN(const FileIdentity identity,
                            IdentityOf(directory, path));
  if (!CheckIdentity(path, identity).ok()) return std::nullopt;
  return FileLock(std::move(directory));
}

}  // namespace moeprobe

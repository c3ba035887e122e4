#ifndef MOEPROBE_STORAGE_DIRECTORY_LOCK_H_
#define MOEPROBE_STORAGE_DIRECTORY_LOCK_H_

#include <chrono>
#include <filesystem>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/file_lock.h"

namespace moeprobe {

// Keeps a data directory to one process. Held until destroyed; the system
// lets go when the process ends, however it ends.
class DirectoryLock {
 public:
  // Makes `directory` if there is none and locks the file "lock" in it.
  // FailedPrecondition "already running, pid N" if another process holds it,
  // and goes on to for `patience`: one that was killed just now may have begun
  // to start another program, which lets go only as it begins.
  static absl::StatusOr<DirectoryLock> Acquire(
      const std::filesystem::path& directory,
      std::chrono::milliseconds patience = std::chrono::milliseconds(0));

 private:
  explicit DirectoryLock(FileLock lock) : lock_(std::move(lock)) {}

  FileLock lock_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_DIRECTORY_LOCK_H_

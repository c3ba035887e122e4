#include "storage/directory_lock.h"

#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/disk_error.h"
#include "core/base/file_content.h"
#include "core/base/file_descriptor.h"
#include "core/base/file_lock.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

constexpr int64_t kMaxOwnerBytes = 32;
constexpr std::chrono::milliseconds kPoll{20};

std::string OwnerIn(const std::filesystem::path& path) {
  const auto file = ReadFile(path, kMaxOwnerBytes);
  if (!file.ok()) return "unknown";
  std::string owner = file->bytes;
  absl::StripAsciiWhitespace(&owner);
  return owner.empty() ? "unknown" : owner;
}

absl::Status WriteOwner(const FileDescriptor& file,
                        const std::filesystem::path& path) {
  if (ftruncate(file.number(), 0) != 0) return DiskError(errno, path);
  const std::string pid = absl::StrCat(getpid(), "\n");
  const ssize_t written = pwrite(file.number(), pid.data(), pid.size(), 0);
  if (written < 0) return DiskError(errno, path);
  // Of so few bytes a part is written only where there is no room for the rest.
  return std::cmp_equal(written, pid.size()) ? absl::OkStatus()
                                             : DiskError(ENOSPC, path);
}

absl::StatusOr<std::optional<FileLock>> WaitForLock(
    const std::filesystem::path& path, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    MOEPROBE_ASSIGN_OR_RETURN(std::optional<FileLock> lock,
                              FileLock::TryAcquire(path));
    if (lock || std::chrono::steady_clock::now() >= deadline) return lock;
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace

absl::StatusOr<DirectoryLock> DirectoryLock::Acquire(
    const std::filesystem::path& directory,
    std::chrono::milliseconds patience) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return DiskError(error.value(), directory);
  const std::filesystem::path path = directory / "lock";
  MOEPROBE_ASSIGN_OR_RETURN(std::optional<FileLock> lock,
                            WaitForLock(path, patience));
  if (!lock) {
    return absl::FailedPreconditionError(
        absl::StrCat("data directory ", directory.string(),
                     ": a server is already running, pid ", OwnerIn(path)));
  }
  MOEPROBE_RETURN_IF_ERROR(WriteOwner(lock->file(), path));
  return DirectoryLock(*std::move(lock));
}

}  // namespace moeprobe

#include "storage/directory_lock.h"

#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_content.h"
#include "core/base/file_descriptor.h"
#include "core/base/file_lock.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

constexpr int64_t kMaxOwnerBytes = 32;

std::string OwnerIn(const std::filesystem::path& path) {
  const auto file = ReadFile(path, kMaxOwnerBytes);
  if (!file.ok()) return "unknown";
  std::string owner = file->bytes;
  absl::StripAsciiWhitespace(&owner);
  return owner.empty() ? "unknown" : owner;
}

bool WriteOwner(const FileDescriptor& file) {
  const std::string pid = absl::StrCat(getpid(), "\n");
  return ftruncate(file.number(), 0) == 0 &&
         pwrite(file.number(), pid.data(), pid.size(), 0) ==
             static_cast<ssize_t>(pid.size());
}

}  // namespace

absl::StatusOr<DirectoryLock> DirectoryLock::Acquire(
    const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return absl::ErrnoToStatus(error.value(), directory.native());
  const std::filesystem::path path = directory / "lock";
  MOEPROBE_ASSIGN_OR_RETURN(std::optional<FileLock> lock,
                            FileLock::TryAcquire(path));
  if (!lock) {
    return absl::FailedPreconditionError(
        absl::StrCat("data directory ", directory.string(),
                     ": a server is already running, pid ", OwnerIn(path)));
  }
  if (!WriteOwner(lock->file())) {
    return absl::ErrnoToStatus(errno, path.native());
  }
  return DirectoryLock(*std::move(lock));
}

}  // namespace moeprobe

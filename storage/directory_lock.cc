#include "storage/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {
namespace {

std::string ReadOwner(const FileDescriptor& file) {
  std::array<char, 32> buffer{};
  const ssize_t size = pread(file.number(), buffer.data(), buffer.size(), 0);
  std::string owner(buffer.data(), size > 0 ? static_cast<size_t>(size) : 0);
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
  const std::string path = (directory / "lock").string();
  FileDescriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.number() < 0) return absl::ErrnoToStatus(errno, path);
  if (flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return absl::ErrnoToStatus(errno, path);
    return absl::FailedPreconditionError(
        absl::StrCat("data directory ", directory.string(),
                     ": a server is already running, pid ", ReadOwner(file)));
  }
  if (!WriteOwner(file)) return absl::ErrnoToStatus(errno, path);
  return DirectoryLock(std::move(file));
}

}  // namespace moeprobe

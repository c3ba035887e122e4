#include "core/base/file_descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/disk_error.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

absl::Status NotRegular(const std::filesystem::path& path, const char* kind) {
  return absl::FailedPreconditionError(
      absl::StrCat(path.native(), ": is ", kind, ", expected a regular file"));
}

absl::Status OpenError(const std::filesystem::path& path, int error) {
  // What Linux says of a socket.
  if (error == ENXIO) return NotRegular(path, "a socket or an absent device");
  return DiskError(error, path);
}

const char* KindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  return "a device";
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) close(number_);
}

absl::StatusOr<FileDescriptor> OpenRegularFile(
    const std::filesystem::path& path) {
  // O_NONBLOCK: opening a FIFO must not wait for its writer.
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) return OpenError(path, errno);
  struct stat information;
  if (fstat(file.number(), &information) != 0) {
    return DiskError(errno, path);
  }
  if (!S_ISREG(information.st_mode)) {
    return NotRegular(path, KindOf(information.st_mode));
  }
  return file;
}

absl::StatusOr<size_t> ReadSome(const FileDescriptor& file,
                                std::span<char> buffer,
                                const std::filesystem::path& path) {
  for (;;) {
    const ssize_t size = read(file.number(), buffer.data(), buffer.size());
    if (size >= 0) return static_cast<size_t>(size);
    if (errno != EINTR) return DiskError(errno, path);
  }
}

absl::Status ReadUntil(const FileDescriptor& file, size_t size,
                       std::string& bytes, const std::filesystem::path& path) {
  size_t filled = bytes.size();
  bytes.resize(size);
  while (filled < size) {
    MOEPROBE_ASSIGN_OR_RETURN(
        const size_t more,
        ReadSome(file, std::span(bytes).subspan(filled), path));
    if (more == 0) {
      return absl::AbortedError(absl::StrCat(
          path.native(), ": ends after ", filled, " bytes, expected ", size));
    }
    filled += more;
  }
  return absl::OkStatus();
}

}  // namespace moeprobe

#include "server/access/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>

#include "absl/status/status.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {

absl::Status WriteNewFile(const std::filesystem::path& path,
                          std::string_view bytes) {
  const FileDescriptor file(open(path.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                                 S_IRUSR | S_IWUSR));
  if (file.number() < 0) return absl::ErrnoToStatus(errno, path.native());
  if (fchmod(file.number(), S_IRUSR | S_IWUSR) == 0 &&
      write(file.number(), bytes.data(), bytes.size()) ==
          static_cast<ssize_t>(bytes.size()) &&
      fsync(file.number()) == 0) {
    return absl::OkStatus();
  }
  const int error = errno;
  unlink(path.c_str());
  return absl::ErrnoToStatus(error, path.native());
}

}  // namespace moeprobe

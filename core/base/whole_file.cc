#include "core/base/whole_file.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_descriptor.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

constexpr mode_t kMode = 0644;

// A limit on the size of files is a full disk, too.
absl::Status WriteError(const std::filesystem::path& path) {
  if (errno != EFBIG) return absl::ErrnoToStatus(errno, path.native());
  return absl::ResourceExhaustedError(
      absl::StrCat(path.native(), ": larger than files may be"));
}

absl::Status Append(const FileDescriptor& file, std::string_view bytes,
                    const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return WriteError(path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteWholeFile(const std::filesystem::path& path,
                            const std::vector<std::string_view>& pieces) {
  const std::string partial = path.native() + ".partial";
  const FileDescriptor file(
      open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode));
  if (file.number() < 0) return WriteError(partial);
  for (const std::string_view piece : pieces) {
    MOEPROBE_RETURN_IF_ERROR(Append(file, piece, partial));
  }
  if (fsync(file.number()) != 0) return WriteError(partial);
  if (rename(partial.c_str(), path.c_str()) != 0) return WriteError(path);
  return SyncDirectory(path.parent_path());
}

absl::Status SyncDirectory(const std::filesystem::path& directory) {
  const FileDescriptor file(
      open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.number() < 0 || fsync(file.number()) != 0) {
    return absl::ErrnoToStatus(errno, directory.native());
  }
  return absl::OkStatus();
}

}  // namespace moeprobe

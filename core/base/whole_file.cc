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
#include "core/base/crash_point.h"
#include "core/base/disk_error.h"
#include "core/base/file_descriptor.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

constexpr mode_t kMode = 0644;

absl::Status WritePartial(const std::filesystem::path& partial,
                          const std::vector<std::string_view>& pieces) {
  const FileDescriptor file(
      open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode));
  if (file.number() < 0) return DiskError(errno, partial);
  CrashPoint("whole-file-empty");
  for (const std::string_view piece : pieces) {
    MOEPROBE_RETURN_IF_ERROR(WriteAll(file, piece, partial));
  }
  CrashPoint("whole-file-written-not-synced");
  if (fsync(file.number()) != 0) return DiskError(errno, partial);
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteWholeFile(const std::filesystem::path& path,
                            const std::vector<std::string_view>& pieces) {
  const std::string partial = path.native() + ".partial";
  absl::Status status = WritePartial(partial, pieces);
  CrashPoint("whole-file-synced-not-named");
  if (status.ok() && rename(partial.c_str(), path.c_str()) != 0) {
    status = DiskError(errno, path);
  }
  CrashPoint("whole-file-named-directory-not-synced");
  if (status.ok()) return SyncDirectory(path.parent_path());
  // Where the disk is full its room is needed.
  unlink(partial.c_str());
  return status;
}

absl::Status WriteAll(const FileDescriptor& file, std::string_view bytes,
                      const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return DiskError(errno, path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status SyncFile(const std::filesystem::path& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0 || fsync(file.number()) != 0) {
    return DiskError(errno, path);
  }
  return absl::OkStatus();
}

absl::Status SyncDirectory(const std::filesystem::path& directory) {
  const FileDescriptor file(
      open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.number() < 0 || fsync(file.number()) != 0) {
    return DiskError(errno, directory);
  }
  return absl::OkStatus();
}

}  // namespace moeprobe

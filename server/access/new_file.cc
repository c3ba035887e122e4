#include "server/access/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "core/base/crash_point.h"
#include "core/base/disk_error.h"
#include "core/base/file_descriptor.h"
#include "core/base/status_macros.h"
#include "core/base/whole_file.h"

namespace moeprobe {
namespace {

absl::Status WritePartial(const std::string& partial, std::string_view bytes) {
  unlink(partial.c_str());  // of a process that died
  const FileDescriptor file(open(partial.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                                 S_IRUSR | S_IWUSR));
  if (file.number() < 0 || fchmod(file.number(), S_IRUSR | S_IWUSR) != 0) {
    return DiskError(errno, partial);
  }
  CrashPoint("new-file-empty");
  MOEPROBE_RETURN_IF_ERROR(WriteAll(file, bytes, partial));
  return fsync(file.number()) == 0 ? absl::OkStatus()
                                   : DiskError(errno, partial);
}

}  // namespace

absl::Status WriteNewFile(const std::filesystem::path& path,
                          std::string_view bytes) {
  const std::string partial = path.native() + ".partial";
  absl::Status status = WritePartial(partial, bytes);
  CrashPoint("new-file-written-not-named");
  // Unlike a rename this leaves a file alone that is there already.
  if (status.ok() && link(partial.c_str(), path.c_str()) != 0) {
    status = DiskError(errno, path);
  }
  CrashPoint("new-file-named-twice");
  unlink(partial.c_str());
  if (!status.ok()) return status;
  status = SyncDirectory(path.has_parent_path() ? path.parent_path() : ".");
  if (!status.ok()) unlink(path.c_str());
  return status;
}

}  // namespace moeprobe

#include "core/base/file_identity.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/disk_error.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

FileIdentity FromStat(const struct stat& information) {
  return {.device = information.st_dev,
          .inode = information.st_ino,
          .size_bytes = information.st_size,
          .modified_ns = information.st_mtim.tv_sec * kNanosecondsPerSecond +
                         information.st_mtim.tv_nsec};
}

absl::Status Changed(const std::filesystem::path& path,
                     const std::string& how) {
  return absl::FailedPreconditionError(absl::StrCat(
      path.native(), ": ", how, " since it was opened, expected no change"));
}

}  // namespace

std::string FileIdentity::ToString() const {
  return absl::StrCat("device ", device, " inode ", inode, " size ", size_bytes,
                      " modified ", modified_ns, "\n");
}

absl::StatusOr<FileIdentity> IdentityOf(const FileDescriptor& file,
                                        const std::filesystem::path& path) {
  struct stat information;
  if (fstat(file.number(), &information) != 0) {
    return DiskError(errno, path);
  }
  return FromStat(information);
}

absl::Status CheckIdentity(const std::filesystem::path& path,
                           const FileIdentity& identity) {
  struct stat information;
  if (stat(path.c_str(), &information) != 0) {
    const absl::Status error = DiskError(errno, path);
    return MayPass(error) ? error : Changed(path, "is gone");
  }
  const FileIdentity now = FromStat(information);
  if (now == identity) return absl::OkStatus();
  if (now.device != identity.device || now.inode != identity.inode) {
    return Changed(path, "was replaced");
  }
  if (now.size_bytes != identity.size_bytes) {
    return Changed(path, absl::StrCat("went from ", identity.size_bytes, " to ",
                                      now.size_bytes, " bytes"));
  }
  return Changed(path, "was written to");
}

}  // namespace moeprobe

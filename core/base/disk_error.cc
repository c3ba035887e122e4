#include "core/base/disk_error.h"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/retry_delay.h"

namespace moeprobe {

absl::Status DiskError(int error_number, const std::filesystem::path& path) {
  const auto message = [&](const char* advice) {
    return absl::StrCat(path.native(), ": ",
                        std::generic_category().message(error_number), ": ",
                        advice);
  };
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:  // NOLINT(misc-include-cleaner): in no header by this name
      return WithRetryDelay(
          absl::ResourceExhaustedError(message("make room on its disk")),
          kDiskRetryDelay);
    case EFBIG:
      return absl::ResourceExhaustedError(
          message("larger than files may be, raise the limit"));
    case EIO:
    case EROFS:
    case ENOTCONN:  // a file system in user space whose program is gone
    case ESTALE:    // NOLINT(misc-include-cleaner): as EDQUOT
    case ETIMEDOUT:
      return WithRetryDelay(absl::UnavailableError(message("see to its disk")),
                            kDiskRetryDelay);
    case EACCES:
    case EPERM:
      // Not PermissionDenied: it is not the caller who may not.
      return absl::FailedPreconditionError(
          message("let the account of this program have it"));
    default: {
      absl::Status status = absl::ErrnoToStatus(error_number, path.native());
      if (!absl::IsUnavailable(status)) return status;
      return WithRetryDelay(std::move(status), kDiskRetryDelay);
    }
  }
}

bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
         absl::IsAborted(status);
}

}  // namespace moeprobe

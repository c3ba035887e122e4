#include "server/commands/absolute_path.h"

#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace moeprobe {

absl::StatusOr<std::filesystem::path> AbsolutePath(
    const std::filesystem::path& path) {
  if (path.empty()) {
    return absl::InvalidArgumentError("found an empty path, expected one");
  }
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) {
    return absl::FailedPreconditionError(absl::StrCat(
        path.native(), ": no directory to start from: ", error.message(),
        ": begin it with /, or change into another directory"));
  }
  absolute = absolute.lexically_normal();
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

}  // namespace moeprobe

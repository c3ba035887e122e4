#include "core/base/file_content.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_descriptor.h"
#include "core/base/file_identity.h"
#include "core/base/status_macros.h"

namespace moeprobe {

absl::StatusOr<FileContent> ReadFile(const std::filesystem::path& path,
                                     int64_t max_bytes) {
  MOEPROBE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenRegularFile(path));
  MOEPROBE_ASSIGN_OR_RETURN(const FileIdentity identity,
                            IdentityOf(file, path));
  if (identity.size_bytes > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.native(), ": is ", identity.size_bytes,
                     " bytes, expected at most ", max_bytes));
  }
  std::string bytes(static_cast<size_t>(identity.size_bytes), '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    MOEPROBE_ASSIGN_OR_RETURN(
        const size_t size,
        ReadSome(file, std::span(bytes).subspan(filled), path));
    if (size == 0) {
      return absl::AbortedError(absl::StrCat(path.native(), ": ends after ",
                                             filled, " bytes, expected ",
                                             bytes.size()));
    }
    filled += size;
  }
  return FileContent{.bytes = std::move(bytes), .identity = identity};
}

}  // namespace moeprobe

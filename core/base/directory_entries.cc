#include "core/base/directory_entries.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/disk_error.h"

namespace moeprobe {

absl::StatusOr<std::vector<std::filesystem::path>> DirectoryEntries(
    const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> entries;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end;
       !error && entry != end; entry.increment(error)) {
    entries.push_back(entry->path());
  }
  if (error) return DiskError(error.value(), directory);
  return entries;
}

}  // namespace moeprobe

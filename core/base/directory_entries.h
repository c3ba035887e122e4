#ifndef MOEPROBE_CORE_BASE_DIRECTORY_ENTRIES_H_
#define MOEPROBE_CORE_BASE_DIRECTORY_ENTRIES_H_

#include <filesystem>
#include <vector>

#include "absl/status/statusor.h"

namespace moeprobe {

// Returns the paths of all that is in a directory, in no order.
//
// Errors: those of DiskError, so NotFound where there is no such directory.
absl::StatusOr<std::vector<std::filesystem::path>> DirectoryEntries(
    const std::filesystem::path& directory);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_DIRECTORY_ENTRIES_H_

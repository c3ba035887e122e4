#ifndef MOEPROBE_SERVER_ACCESS_NEW_FILE_H_
#define MOEPROBE_SERVER_ACCESS_NEW_FILE_H_

#include <filesystem>
#include <string_view>

#include "absl/status/status.h"

namespace moeprobe {

// Makes a file that its owner alone can read and write, mode 0600: it is there
// whole or not at all, and on the disk when this returns. A process that dies
// in between leaves a file called `path` and ".partial", which the next call
// replaces.
//
// Errors, which name it: AlreadyExists if there is something of that name,
// which stays as it is; those of DiskError.
absl::Status WriteNewFile(const std::filesystem::path& path,
                          std::string_view bytes);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ACCESS_NEW_FILE_H_

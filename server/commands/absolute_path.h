#ifndef MOEPROBE_SERVER_COMMANDS_ABSOLUTE_PATH_H_
#define MOEPROBE_SERVER_COMMANDS_ABSOLUTE_PATH_H_

#include <filesystem>

#include "absl/status/statusor.h"

namespace moeprobe {

// Returns where a path of a command line leads from the root, without the slash
// that a shell may have put behind a directory.
//
// InvalidArgument if it is empty; FailedPrecondition if it is relative and the
// directory that the command runs in is gone or cannot be read.
absl::StatusOr<std::filesystem::path> AbsolutePath(
    const std::filesystem::path& path);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_COMMANDS_ABSOLUTE_PATH_H_

#ifndef MOEPROBE_SERVER_ISOLATION_FILE_WALLS_H_
#define MOEPROBE_SERVER_ISOLATION_FILE_WALLS_H_

#include <filesystem>
#include <vector>

#include "absl/status/status.h"

namespace moeprobe {

// Files and directories, each with all that is below it, that a process may
// use. Those that are not there are left out.
struct FileAccess {
  std::vector<std::filesystem::path> readable;
  std::vector<std::filesystem::path> runnable;  // readable, too
  // Readable, too. What is made there is a regular file or a directory, and is
  // not run.
  std::vector<std::filesystem::path> writable;
};

// Returns the version of Landlock that this kernel has; 0 for none.
int LandlockVersion();

// Keeps this process and all that it starts from opening other files than
// these, for good; files that are open stay so. From version 3 of Landlock on
// that goes for cutting files short, from 5 on for asking devices, and from 6
// on they send signals, and connect to abstract sockets, only among themselves.
// What a path leads to can still be looked up, and Unix sockets with a path be
// connected to.
//
// FailedPrecondition if the process has several threads: only this one would be
// kept. Unimplemented if there is no Landlock. Otherwise what the system says.
absl::Status RestrictFiles(const FileAccess& access);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ISOLATION_FILE_WALLS_H_

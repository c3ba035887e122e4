#ifndef MOEPROBE_STORAGE_UNFINISHED_FILES_H_
#define MOEPROBE_STORAGE_UNFINISHED_FILES_H_

#include <filesystem>
#include <vector>

namespace moeprobe {

// Returns the files and directories in a data directory that processes which
// died had not finished: copies of databases, checkpoints of training. Their
// names end in ".partial". Those of processes that live are among them.
std::vector<std::filesystem::path> UnfinishedFiles(
    const std::filesystem::path& data_directory);

// Removes them, where nobody writes any.
void RemoveUnfinishedFiles(const std::filesystem::path& data_directory);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_UNFINISHED_FILES_H_

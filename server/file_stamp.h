#ifndef MOEPROBE_SERVER_FILE_STAMP_H_
#define MOEPROBE_SERVER_FILE_STAMP_H_

#include <filesystem>
#include <string>

namespace moeprobe {

// Returns who a file is, without reading it: device, inode, size, times. It
// differs once the file was replaced or written to; "" if there is none.
std::string FileStamp(const std::filesystem::path& file);

// Returns the names and stamps of everything in a directory.
std::string DirectoryStamp(const std::filesystem::path& directory);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_FILE_STAMP_H_

#include "server/file_stamp.h"

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace moeprobe {

std::string FileStamp(const std::filesystem::path& file) {
  struct stat info{};
  if (stat(file.c_str(), &info) != 0) return "";
  return absl::StrCat(info.st_dev, ":", info.st_ino, ":", info.st_size, ":",
                      info.st_mtim.tv_sec, ".", info.st_mtim.tv_nsec, ":",
                      info.st_ctim.tv_sec, ".", info.st_ctim.tv_nsec);
}

std::string DirectoryStamp(const std::filesystem::path& directory) {
  std::map<std::string, std::string> stamps;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end;
       !error && entry != end; entry.increment(error)) {
    stamps[entry->path().filename().string()] = FileStamp(entry->path());
  }
  return absl::StrJoin(stamps, "\n", absl::PairFormatter("="));
}

}  // namespace moeprobe

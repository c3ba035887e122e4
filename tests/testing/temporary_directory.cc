#include "tests/testing/temporary_directory.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace moeprobe {

TemporaryDirectory::TemporaryDirectory() {
  std::string path =
      (std::filesystem::temp_directory_path() / "moeprobe-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), path);
  }
  path_ = path;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

int TemporaryDirectory::FileCount() const {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    count += entry.is_regular_file() ? 1 : 0;
  }
  return count;
}

}  // namespace moeprobe

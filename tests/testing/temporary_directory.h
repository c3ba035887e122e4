#ifndef MOEPROBE_TESTS_TESTING_TEMPORARY_DIRECTORY_H_
#define MOEPROBE_TESTS_TESTING_TEMPORARY_DIRECTORY_H_

#include <filesystem>

namespace moeprobe {

// An empty directory with a short path, removed with all that is in it.
class TemporaryDirectory {
 public:
  // Throws if it cannot be made.
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // Number of regular files in it, those of folders not counted.
  int FileCount() const;

 private:
  std::filesystem::path path_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_TESTING_TEMPORARY_DIRECTORY_H_

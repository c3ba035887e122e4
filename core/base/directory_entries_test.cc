#include "core/base/directory_entries.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<std::string> NamesIn(const std::filesystem::path& directory) {
  const auto entries = DirectoryEntries(directory);
  EXPECT_TRUE(entries.ok()) << entries.status();
  std::vector<std::string> names;
  for (const std::filesystem::path& entry : *entries) {
    EXPECT_EQ(entry.parent_path().native(), directory.native());
    names.push_back(entry.filename().string());
  }
  return names;
}

TEST(DirectoryEntriesTest, AreFilesAndDirectories) {
  const TemporaryDirectory directory;
  EXPECT_THAT(NamesIn(directory.path()), IsEmpty());
  std::ofstream(directory.path() / "file") << "x";
  std::filesystem::create_directories(directory.path() / "folder/below");
  EXPECT_THAT(NamesIn(directory.path()),
              UnorderedElementsAre("file", "folder"));
}

TEST(DirectoryEntriesTest, AreNotNoneWhereTheyCannotBeRead) {
  const TemporaryDirectory directory;
  EXPECT_EQ(DirectoryEntries(directory.path() / "absent").status().code(),
            absl::StatusCode::kNotFound);
  std::ofstream(directory.path() / "file") << "x";
  EXPECT_EQ(DirectoryEntries(directory.path() / "file").status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace moeprobe

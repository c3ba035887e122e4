#include "core/base/bounded_directory.h"

#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_content.h"
#include "core/base/file_descriptor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kLimitBytes = 100;

class BoundedDirectoryTest : public testing::Test {
 protected:
  // Stores a file of 30 bytes: three have room.
  absl::Status Put(const std::string& name) {
    return directory_.Put(name, {std::string(10, 'a'), std::string(20, 'b')});
  }

  std::vector<std::string> Names() { return directory_.NamesWith(""); }

  // As a writer leaves it that is killed.
  void LeavePartial(int size) {
    fs::create_directories(path_);
    std::ofstream(path_ / "partial.abc123") << std::string(size, 'x');
  }

  TemporaryDirectory parent_;
  fs::path path_ = parent_.path() / "files";
  BoundedDirectory directory_{path_, kLimitBytes};
};

TEST_F(BoundedDirectoryTest, KeepsPiecesInOrder) {
  ASSERT_TRUE(directory_.Put("a-0", {"one ", "", "two"}).ok());
  EXPECT_EQ(ReadFile(path_ / "a-0", kLimitBytes)->bytes, "one two");
}

TEST_F(BoundedDirectoryTest, IsEmptyBeforeTheFirstFile) {
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(directory_.Open("a-0").status()));
  EXPECT_TRUE(directory_.Tidy().ok());
}

TEST_F(BoundedDirectoryTest, ReplacesAFile) {
  ASSERT_TRUE(Put("a-0").ok());
  ASSERT_TRUE(directory_.Put("a-0", {"new"}).ok());
  EXPECT_EQ(ReadFile(path_ / "a-0", kLimitBytes)->bytes, "new");
  EXPECT_THAT(Names(), ElementsAre("a-0"));
}

TEST_F(BoundedDirectoryTest, EvictsTheLeastRecentlyUsedOfOtherGroups) {
  for (const char* name : {"a-0", "b-0", "c-0"}) ASSERT_TRUE(Put(name).ok());
  directory_.NoteUse("a-0");
  ASSERT_TRUE(Put("d-0").ok());
  EXPECT_THAT(Names(), ElementsAre("a-0", "c-0", "d-0"));
}

TEST_F(BoundedDirectoryTest, EvictsFirstWhatWasUsedAtATimeThatIsNotYet) {
  for (const char* name : {"a-0", "b-0", "c-0"}) ASSERT_TRUE(Put(name).ok());
  const auto used = fs::last_write_time(path_ / "b-0");
  fs::last_write_time(path_ / "b-0", used + std::chrono::hours(24 * 365));
  ASSERT_TRUE(Put("d-0").ok());
  EXPECT_THAT(Names(), ElementsAre("a-0", "c-0", "d-0"));
}

TEST_F(BoundedDirectoryTest, EvictsTheMostRecentlyUsedOfTheSameGroup) {
  for (const char* name : {"a-0", "a-1", "a-2"}) ASSERT_TRUE(Put(name).ok());
  ASSERT_TRUE(Put("a-3").ok());
  EXPECT_THAT(Names(), ElementsAre("a-0", "a-1", "a-3"));
  ASSERT_TRUE(Put("b-0").ok());  // another group: the oldest goes
  EXPECT_THAT(Names(), ElementsAre("a-1", "a-3", "b-0"));
}

TEST_F(BoundedDirectoryTest, RefusesWhatIsLargerThanItsLimitAndEvictsNothing) {
  ASSERT_TRUE(Put("a-0").ok());
  const absl::Status status =
      directory_.Put("b-0", {std::string(kLimitBytes + 1, 'x')});
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(Names(), ElementsAre("a-0"));
}

TEST_F(BoundedDirectoryTest, KeepsNothingWhereItsLimitIsZero) {
  const BoundedDirectory none(path_, 0);
  EXPECT_TRUE(absl::IsResourceExhausted(none.Put("a-0", {"x"})));
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(BoundedDirectoryTest, ReadsAFileThatIsEvictedMeanwhile) {
  ASSERT_TRUE(Put("a-0").ok());
  const auto file = directory_.Open("a-0");
  ASSERT_TRUE(file.ok());
  directory_.Remove("a-0");
  std::string bytes(30, ' ');
  EXPECT_EQ(*ReadSome(*file, bytes, "a-0"), 30);
  EXPECT_EQ(bytes[29], 'b');
}

TEST_F(BoundedDirectoryTest, RemovesWhatAKilledWriterLeft) {
  LeavePartial(90);
  EXPECT_THAT(Names(), IsEmpty());
  ASSERT_TRUE(Put("a-0").ok());  // its bytes are free again
  EXPECT_FALSE(fs::exists(path_ / "partial.abc123"));
  LeavePartial(10);
  ASSERT_TRUE(directory_.Tidy().ok());
  EXPECT_FALSE(fs::exists(path_ / "partial.abc123"));
}

TEST_F(BoundedDirectoryTest, TidiesDownToASmallerLimit) {
  for (const char* name : {"a-0", "a-1", "b-0"}) ASSERT_TRUE(Put(name).ok());
  ASSERT_TRUE(BoundedDirectory(path_, 60).Tidy().ok());
  EXPECT_THAT(Names(), ElementsAre("a-1", "b-0"));
}

TEST_F(BoundedDirectoryTest, StaysWithinItsLimitHoweverManyWrite) {
  constexpr int kWriters = 8;
  constexpr int kFiles = 50;
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([this, writer] {
      for (int file = 0; file < kFiles; ++file) {
        // Others may be writing as much as the limit allows.
        const absl::Status status = Put(absl::StrCat(writer % 3, "-", file));
        EXPECT_TRUE(status.ok() || absl::IsResourceExhausted(status)) << status;
      }
    });
  }
  writers.clear();
  EXPECT_LE(Names().size(), 3);
  for (const std::string& name : Names()) {
    EXPECT_EQ(fs::file_size(path_ / name), 30) << name;
  }
}

TEST_F(BoundedDirectoryTest, SaysThatTheDiskIsFullAndLeavesNothing) {
  // A limit on the size of files stands for the size of the disk.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{.rlim_cur = 20, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = Put("a-0");
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(Names(), IsEmpty());
  ASSERT_TRUE(directory_.Tidy().ok());
  EXPECT_EQ(std::distance(fs::directory_iterator(path_), {}), 1);  // the lock
}

TEST_F(BoundedDirectoryTest, SaysWhereItCannotBeMade) {
  const absl::Status status =
      BoundedDirectory("/dev/full/nowhere", kLimitBytes).Put("a-0", {"x"});
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("/dev/full"));
}

}  // namespace
}  // namespace moeprobe

#include "storage/directory_lock.h"

#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

TEST(DirectoryLockTest, KeepsASecondOwnerOutAndNamesTheFirst) {
  const TemporaryDirectory directory;
  const auto first = DirectoryLock::Acquire(directory.path() / "data");
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = DirectoryLock::Acquire(directory.path() / "data");
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(
      std::string(second.status().message()),
      testing::HasSubstr(absl::StrCat("already running, pid ", getpid())));
}

TEST(DirectoryLockTest, LetsTheNextOneInAfterwards) {
  const TemporaryDirectory directory;
  {
    ASSERT_TRUE(DirectoryLock::Acquire(directory.path()).ok());
  }
  EXPECT_TRUE(DirectoryLock::Acquire(directory.path()).ok());
}

TEST(DirectoryLockTest, NamesADirectoryThatCannotBeMade) {
  const auto lock = DirectoryLock::Acquire("/proc/nowhere");
  EXPECT_THAT(std::string(lock.status().message()),
              testing::HasSubstr("/proc/nowhere"));
}

TEST(DirectoryLockTest, WaitsForOneThatIsLetGo) {
  const TemporaryDirectory directory;
  auto first = DirectoryLock::Acquire(directory.path());
  ASSERT_TRUE(first.ok());
  std::thread other([&] {
    EXPECT_TRUE(
        DirectoryLock::Acquire(directory.path(), std::chrono::hours(1)).ok());
  });
  first = absl::CancelledError("let go");
  other.join();
}

}  // namespace
}  // namespace moeprobe

#include "core/base/file_lock.h"

#include <optional>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

TEST(FileLockTest, HasOneHolder) {
  const TemporaryDirectory directory;
  auto first = FileLock::TryAcquire(directory.path() / "lock");
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(first->has_value());
  const auto second = FileLock::TryAcquire(directory.path() / "lock");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_FALSE(second->has_value());
  first->reset();
  EXPECT_TRUE(
      FileLock::TryAcquire(directory.path() / "lock").value().has_value());
}

TEST(FileLockTest, IsNotTheLockOfAnotherFile) {
  const TemporaryDirectory directory;
  const auto first = FileLock::TryAcquire(directory.path() / "a");
  const auto second = FileLock::TryAcquire(directory.path() / "b");
  EXPECT_TRUE(first.value().has_value());
  EXPECT_TRUE(second.value().has_value());
}

TEST(FileLockTest, IsOneOfADirectory) {
  const TemporaryDirectory directory;
  auto first = FileLock::TryAcquireDirectory(directory.path());
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(first->has_value());
  EXPECT_FALSE(
      FileLock::TryAcquireDirectory(directory.path()).value().has_value());
  first->reset();
  EXPECT_TRUE(
      FileLock::TryAcquireDirectory(directory.path()).value().has_value());
}

TEST(FileLockTest, MakesNoDirectory) {
  const TemporaryDirectory directory;
  EXPECT_EQ(
      FileLock::TryAcquireDirectory(directory.path() / "none").status().code(),
      absl::StatusCode::kNotFound);
}

TEST(FileLockTest, NamesAFileThatCannotBeMade) {
  EXPECT_THAT(FileLock::TryAcquire("/proc/none/lock").status().message(),
              testing::HasSubstr("/proc/none/lock"));
}

}  // namespace
}  // namespace moeprobe

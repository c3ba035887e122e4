#include "storage/sql_errors.h"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <optional>

#include "absl/status/status.h"
#include "core/base/disk_error.h"
#include "core/base/retry_delay.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(SqlErrorsTest, SayWhenToTryAgainWhereThatMayHelp) {
  for (const int number : {SQLITE_FULL, SQLITE_IOERR, SQLITE_CANTOPEN,
                           SQLITE_READONLY, SQLITE_BUSY, SQLITE_LOCKED}) {
    const absl::Status status = StatusOf(SQLite::Exception("words", number));
    EXPECT_EQ(RetryDelayOf(status), kDiskRetryDelay) << status;
    EXPECT_EQ(absl::IsResourceExhausted(status), number == SQLITE_FULL);
    EXPECT_EQ(absl::IsUnavailable(status), number != SQLITE_FULL);
  }
}

TEST(SqlErrorsTest, SayNothingWhereItDoesNot) {
  for (const int number : {SQLITE_CORRUPT, SQLITE_CONSTRAINT, SQLITE_ERROR}) {
    const absl::Status status = StatusOf(SQLite::Exception("words", number));
    EXPECT_EQ(RetryDelayOf(status), std::nullopt) << status;
  }
}

}  // namespace
}  // namespace moeprobe

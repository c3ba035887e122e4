#include "storage/lost_database.h"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "storage/connection.h"
#include "storage/data_layout.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class LostDatabaseTest : public ::testing::Test {
 protected:
  LostDatabaseTest() {
    std::filesystem::create_directories(layout_.blobs);
    std::filesystem::create_directories(layout_.trained);
  }

  static void Write(const std::filesystem::path& file,
                    const std::string& text) {
    std::ofstream(file) << text;
  }

  void ExpectLost(const std::filesystem::path& beside) {
    const absl::Status status = CheckNoDatabaseIsLost(layout_);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(layout_.database.string()),
                      HasSubstr(beside.string())));
  }

  TemporaryDirectory directory_;
  DataLayout layout_{directory_.path()};
};

TEST_F(LostDatabaseTest, LetsANewDirectoryBegin) {
  EXPECT_TRUE(CheckNoDatabaseIsLost(layout_).ok());
  EXPECT_TRUE(
      CheckNoDatabaseIsLost(DataLayout(directory_.path() / "none")).ok());
}

// A server that died before it wrote anything.
TEST_F(LostDatabaseTest, LetsAnEmptyFileBegin) {
  Write(layout_.database, "");
  EXPECT_TRUE(CheckNoDatabaseIsLost(layout_).ok());
}

TEST_F(LostDatabaseTest, LeavesADatabaseToThoseWhoReadIt) {
  Write(layout_.database, "anything");
  Write(layout_.blobs / "b", "x");
  EXPECT_TRUE(CheckNoDatabaseIsLost(layout_).ok());
}

TEST_F(LostDatabaseTest, RefusesBlobsWithoutOne) {
  Write(layout_.blobs / "b", "x");
  ExpectLost(layout_.blobs);
}

TEST_F(LostDatabaseTest, RefusesBlobsBesideAnEmptyOne) {
  Write(layout_.database, "");
  Write(layout_.blobs / "b", "x");
  ExpectLost(layout_.blobs);
}

// All that it had was in a write-ahead log that was damaged.
TEST_F(LostDatabaseTest, RefusesBlobsBesideOneWithoutTables) {
  {
    Connection blank(layout_.database.string(),
                     SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    blank.exec("PRAGMA journal_mode = WAL; PRAGMA user_version = 0");
  }
  EXPECT_TRUE(CheckNoDatabaseIsLost(layout_).ok());
  Write(layout_.blobs / "b", "x");
  ExpectLost(layout_.blobs);
}

TEST_F(LostDatabaseTest, FindsTablesInALogThatIsNotInTheDatabaseYet) {
  Write(layout_.blobs / "b", "x");
  Connection database(layout_.database.string(),
                      SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t(x)");
  ASSERT_TRUE(std::filesystem::exists(layout_.database.string() + "-wal"));
  EXPECT_TRUE(CheckNoDatabaseIsLost(layout_).ok());
}

TEST_F(LostDatabaseTest, RefusesModelsWithoutOne) {
  std::filesystem::create_directory(layout_.trained / "run");
  ExpectLost(layout_.trained);
}

TEST_F(LostDatabaseTest, RefusesTransactionsWithoutOne) {
  Write(layout_.database.string() + "-wal", "x");
  ExpectLost(layout_.database.string() + "-wal");
}

TEST_F(LostDatabaseTest, DoesNotWaitForAFifo) {
  ASSERT_EQ(mkfifo(layout_.database.c_str(), 0600), 0);
  EXPECT_TRUE(CheckNoDatabaseIsLost(layout_).ok());
}

TEST_F(LostDatabaseTest, RefusesALinkToNothingBesideBlobs) {
  Write(layout_.blobs / "b", "x");
  std::filesystem::create_symlink("/nowhere/at/all", layout_.database);
  ExpectLost(layout_.blobs);
}

}  // namespace
}  // namespace moeprobe

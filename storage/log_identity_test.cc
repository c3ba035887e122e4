#include "storage/log_identity.h"

#include <SQLiteCpp/Database.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/connection.h"
#include "storage/data_layout.h"
#include "storage/database.h"
#include "storage/database_copy.h"
#include "storage/statement.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string BytesOf(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class LogIdentityTest : public testing::Test {
 protected:
  // A database that somebody was killed over, once it had been closed: pages
  // of it are in its log alone.
  fs::path MakeKilled(const std::string& name) {
    const fs::path alive = directory_.path() / ("alive " + name);
    EXPECT_TRUE(Database::Open(alive).ok());
    const auto database = Database::Open(alive);
    Pin(**database, "m");
    return KilledCopy(alive, name);
  }

  // What is left of an open database where its process dies.
  fs::path KilledCopy(const fs::path& alive, const std::string& name) {
    const fs::path killed = directory_.path() / name;
    fs::copy(alive, killed);
    fs::copy(WriteAheadLogOf(alive), WriteAheadLogOf(killed));
    return killed;
  }

  static void Pin(Database& database, const std::string& model) {
    EXPECT_TRUE(database
                    .Write([&](Connection& db) -> absl::Status {
                      Execute(db, "INSERT INTO model_pin VALUES(?1, 'o', 1)",
                              model);
                      return absl::OkStatus();
                    })
                    .ok());
  }

  static std::string NumberIn(const fs::path& database) {
    const auto connection = OpenWithoutLog(database);
    return QueryText(**connection, "SELECT id FROM identity").value_or("");
  }

  static void ReplaceLog(const fs::path& database, const fs::path& by) {
    fs::copy_file(WriteAheadLogOf(by), WriteAheadLogOf(database),
                  fs::copy_options::overwrite_existing);
  }

  TemporaryDirectory directory_;
};

TEST_F(LogIdentityTest, AcceptsItsOwn) {
  // Each of the characters means something in a URI.
  const fs::path killed = MakeKilled("a?b#c%20d");
  EXPECT_TRUE(CheckLogIsItsOwn(killed).ok());
  const auto database = OpenToRead(killed);
  EXPECT_EQ(QueryInteger(**database, "SELECT count(*) FROM model_pin"), 1);
  const auto without = OpenWithoutLog(killed);
  EXPECT_EQ(QueryInteger(**without, "SELECT count(*) FROM model_pin"), 0);
}

TEST_F(LogIdentityTest, RefusesThatOfAnotherAndChangesNothing) {
  const fs::path own = MakeKilled("own");
  ReplaceLog(own, MakeKilled("other"));
  const std::string database = BytesOf(own);
  const std::string log = BytesOf(WriteAheadLogOf(own));
  const absl::Status status = CheckLogIsItsOwn(own);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(WriteAheadLogOf(own).string()));
  EXPECT_EQ(BytesOf(own), database);
  EXPECT_EQ(BytesOf(WriteAheadLogOf(own)), log);
}

TEST_F(LogIdentityTest, RefusesThatOfADatabaseWithoutIdentity) {
  const fs::path own = MakeKilled("own");
  const fs::path other = directory_.path() / "other";
  Connection database(other.string(),
                      SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t(x)");
  ReplaceLog(own, other);
  EXPECT_TRUE(absl::IsFailedPrecondition(CheckLogIsItsOwn(own)));
}

// A page of it lies over one that has nothing to do with the number.
TEST_F(LogIdentityTest, RefusesOneThroughWhichTheNumberCanBeRead) {
  const fs::path own = MakeKilled("own");
  const fs::path other = directory_.path() / "other";
  Connection database(other.string(),
                      SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  database.exec("PRAGMA journal_mode = WAL");
  for (int i = 0; i < 200; ++i) {
    database.exec(absl::StrCat("CREATE TABLE t", i, "(x)"));
  }
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const auto table = QueryText(
      database, "SELECT name FROM sqlite_schema WHERE rootpage >= 20 LIMIT 1");
  database.exec(absl::StrCat("INSERT INTO ", table.value_or(""), " VALUES(1)"));
  ReplaceLog(own, other);
  const auto read = OpenToRead(own);
  EXPECT_EQ(QueryText(**read, "SELECT id FROM identity"), NumberIn(own));
  EXPECT_TRUE(absl::IsFailedPrecondition(CheckLogIsItsOwn(own)));
}

TEST_F(LogIdentityTest, AcceptsWhereAllIsInTheLog) {
  const fs::path own = directory_.path() / "own";
  const auto database = Database::Open(own);
  EXPECT_TRUE(CheckLogIsItsOwn(KilledCopy(own, "killed")).ok());
}

TEST_F(LogIdentityTest, AcceptsOneWithoutAWholeTransaction) {
  const fs::path killed = MakeKilled("killed");
  // Its header and one page of several: before the number is in it, perhaps.
  fs::resize_file(WriteAheadLogOf(killed), 32 + 24 + 4096);
  EXPECT_EQ(BytesOf(WriteAheadLogOf(killed)).find(NumberIn(killed)),
            std::string::npos);
  EXPECT_TRUE(CheckLogIsItsOwn(killed).ok());
}

TEST_F(LogIdentityTest, RefusesThatOfTheOriginalBesideACopy) {
  const fs::path original = MakeKilled("original");
  const fs::path copy = directory_.path() / "copy";
  ASSERT_TRUE(CopyDatabase(original, copy).ok());
  fs::copy(WriteAheadLogOf(original), WriteAheadLogOf(copy));
  EXPECT_TRUE(absl::IsFailedPrecondition(CheckLogIsItsOwn(copy)));
}

// Their tables begin at other pages: what the log has lies over other things
// than a number, and the database's own can be read still.
TEST_F(LogIdentityTest, RefusesThatOfACopyBesideTheOriginal) {
  const fs::path original = MakeKilled("original");
  const fs::path copy = directory_.path() / "copy";
  ASSERT_TRUE(CopyDatabase(original, copy).ok());
  const auto database = Database::Open(copy);
  Pin(**database, "n");
  ReplaceLog(original, copy);
  EXPECT_TRUE(absl::IsFailedPrecondition(CheckLogIsItsOwn(original)));
}

TEST_F(LogIdentityTest, AcceptsThatOfACopyBesideIt) {
  const fs::path copy = directory_.path() / "copy";
  ASSERT_TRUE(CopyDatabase(MakeKilled("original"), copy).ok());
  const auto database = Database::Open(copy);
  Pin(**database, "n");
  EXPECT_TRUE(CheckLogIsItsOwn(KilledCopy(copy, "killed")).ok());
}

// Only what the writer moves into a database it knows of.
TEST_F(LogIdentityTest, AcceptsOneThatBeganAfterSomebodyElsesCheckpoint) {
  const fs::path alive = directory_.path() / "alive";
  const auto database = Database::Open(alive);
  Pin(**database, "m");
  {
    Connection other(alive.string(), SQLite::OPEN_READWRITE);
    other.exec("PRAGMA wal_checkpoint");
  }
  Pin(**database, "n");
  const fs::path killed = KilledCopy(alive, "killed");
  fs::resize_file(WriteAheadLogOf(killed), 32 + 2 * (24 + 4096));
  EXPECT_EQ(BytesOf(WriteAheadLogOf(killed)).find(NumberIn(killed)),
            std::string::npos);
  EXPECT_TRUE(CheckLogIsItsOwn(killed).ok());
  const auto read = OpenToRead(killed);
  EXPECT_EQ(QueryInteger(**read, "SELECT count(*) FROM model_pin"), 2);
}

TEST_F(LogIdentityTest, LeavesACopyWithoutNumberAlone) {
  const fs::path old = directory_.path() / "old";
  {
    Connection database(old.string(),
                        SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec("CREATE TABLE t(x)");
  }
  const std::string before = BytesOf(old);
  EXPECT_TRUE(GiveNumber(old).ok());
  EXPECT_EQ(BytesOf(old), before);
}

TEST_F(LogIdentityTest, LeavesDamageToThoseWhoReadIt) {
  const fs::path own = MakeKilled("own");
  std::ofstream(own) << "anything";
  EXPECT_TRUE(CheckLogIsItsOwn(own).ok());
  EXPECT_TRUE(CheckLogIsItsOwn(directory_.path() / "none").ok());
}

TEST_F(LogIdentityTest, DoesNotWaitForAFifo) {
  const fs::path own = MakeKilled("own");
  fs::remove(WriteAheadLogOf(own));
  ASSERT_EQ(mkfifo(WriteAheadLogOf(own).c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(CheckLogIsItsOwn(own)));
}

}  // namespace
}  // namespace moeprobe

// Databases of every schema there was, brought to the newest one.

#include <SQLiteCpp/Database.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_content.h"
#include "gtest/gtest.h"
#include "storage/connection.h"
#include "storage/data_layout.h"
#include "storage/database.h"
#include "storage/integrity.h"
#include "storage/log_identity.h"
#include "storage/schema.h"
#include "storage/statement.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

// The first whose data sets are somebody's.
constexpr size_t kSchemaWithOwners = 5;
// The first that tells its log from others.
constexpr size_t kSchemaWithNumbers = 11;

class MigrationTest : public testing::Test {
 protected:
  // Makes the file as a program of that time did, with a job in it.
  void MakeSchema(size_t version) {
    fs::remove(file_);
    Connection raw(file_.string(),
                   SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    raw.exec("PRAGMA journal_mode = WAL");
    for (const char* step : Migrations().first(version)) raw.exec(step);
    raw.exec(absl::StrCat("PRAGMA application_id = ", kApplicationId,
                          "; PRAGMA user_version = ", version));
    raw.exec(
        "INSERT INTO job(state, spec, request_key, layer_count, create_time, "
        "change_time) VALUES('QUEUED', x'01', 'key', 1, 2, 3)");
    raw.exec(absl::StrCat(
        "INSERT INTO dataset(sha256, kind, display_name, size_bytes, "
        "create_time",
        version < kSchemaWithOwners ? ") VALUES('digest', 'text', 'name', 1, 2)"
                                    : ", owner, private) VALUES('digest', "
                                      "'text', 'name', 1, 2, '', 0)"));
  }

  fs::path CopyOf(size_t version) const {
    return absl::StrCat(file_.native(), ".schema", version);
  }

  static std::optional<std::string> Job(const fs::path& file) {
    Connection raw(file.string());
    return QueryText(raw,
                     "SELECT id || ' ' || state || ' ' || request_key || ' ' "
                     "|| (SELECT display_name FROM dataset) FROM job");
  }

  static std::optional<int64_t> QueueLength(const fs::path& file) {
    Connection raw(file.string());
    return QueryInteger(raw, "SELECT sum(jobs) FROM queue_length");
  }

  static std::optional<int64_t> VersionOf(const fs::path& file) {
    Connection raw(file.string());
    return QueryInteger(raw, "PRAGMA user_version");
  }

  TemporaryDirectory directory_;
  fs::path file_ = directory_.path() / "moeprobe.db";
};

TEST_F(MigrationTest, KeepsACopyOfEveryOlderSchema) {
  for (size_t version = 1; version < Migrations().size(); ++version) {
    SCOPED_TRACE(version);
    MakeSchema(version);
    ASSERT_TRUE(Database::Open(file_).ok());
    EXPECT_EQ(VersionOf(file_), Migrations().size());
    EXPECT_EQ(Job(file_), "1 QUEUED key name");
    EXPECT_EQ(VersionOf(CopyOf(version)), version);
    EXPECT_EQ(Job(CopyOf(version)), "1 QUEUED key name");
    EXPECT_EQ(QueueLength(file_), 1);
  }
}

TEST_F(MigrationTest, CountsWhatIsStored) {
  MakeSchema(kSchemaWithOwners);
  {
    Connection raw(file_.string(), SQLite::OPEN_READWRITE);
    raw.exec(R"sql(
      UPDATE job SET owner = 'ann';
      INSERT INTO cache_entry(id, key, create_time) VALUES(1, 'a', 0), (2, 'b', 0);
      INSERT INTO matrix(entry, name, probe, data_type, shape, sha256, size_bytes)
      VALUES(1, 'x', 'p', 'int64', '', 's', 30), (1, 'y', 'p', 'int64', '', 's', 40),
        (2, 'x', 'p', 'int64', '', 's', 500);
      INSERT INTO job_group VALUES(1, 0, 0, 'p', 1))sql");
  }
  ASSERT_TRUE(Database::Open(file_).ok());
  Connection raw(file_.string());
  EXPECT_EQ(QueryText(raw,
                      "SELECT group_concat(owner || ' ' || bytes) FROM "
                      "(SELECT * FROM stored_bytes ORDER BY owner)"),
            " 500,ann 70");
  EXPECT_TRUE(FindMiscounts(raw).empty());
}

TEST_F(MigrationTest, CopiesNothingThatIsNewOrCurrent) {
  ASSERT_TRUE(Database::Open(file_).ok());
  ASSERT_TRUE(Database::Open(file_).ok());
  for (const auto& entry : fs::directory_iterator(directory_.path())) {
    EXPECT_EQ(entry.path().native().find(".schema"), std::string::npos);
  }
}

// Both go by number, so this begins with the first schema that has one.
TEST_F(MigrationTest, BeginsALogOfTheDatabaseAndNotOfTheCopy) {
  for (size_t version = kSchemaWithNumbers; version < Migrations().size();
       ++version) {
    SCOPED_TRACE(version);
    MakeSchema(version);
    const auto database = Database::Open(file_);
    const fs::path killed = directory_.path() / absl::StrCat("killed", version);
    // There is nothing yet in the log but what the migration wrote.
    fs::copy(file_, killed);
    fs::copy(WriteAheadLogOf(file_), WriteAheadLogOf(killed));
    EXPECT_TRUE(CheckLogIsItsOwn(killed).ok());
    const auto without_log = OpenWithoutLog(killed);
    const auto number = QueryText(**without_log, "SELECT id FROM identity");
    const auto log = ReadFile(WriteAheadLogOf(killed), 1 << 24);
    EXPECT_TRUE(absl::StrContains(log->bytes, number.value_or("none")));
    fs::copy(WriteAheadLogOf(file_), WriteAheadLogOf(CopyOf(version)));
    EXPECT_TRUE(absl::IsFailedPrecondition(CheckLogIsItsOwn(CopyOf(version))));
  }
}

TEST_F(MigrationTest, ChangesNothingWhereTheCopyFails) {
  MakeSchema(1);
  // In the way of the copy, and not to be removed as if it were one.
  fs::create_directories(absl::StrCat(CopyOf(1).native(), ".partial/x"));
  EXPECT_FALSE(Database::Open(file_).ok());
  EXPECT_EQ(VersionOf(file_), 1);
}

// Of the program, not of the machine: what was written stays in the cache.
TEST_F(MigrationTest, IsHarmlessToKill) {
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE(round);
    MakeSchema(1);
    const pid_t child = fork();
    if (child == 0) {
      _exit(Database::Open(file_).ok() ? 0 : 1);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2 * round));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const auto database = Database::Open(file_);
    ASSERT_TRUE(database.ok()) << database.status();
    EXPECT_EQ(VersionOf(file_), Migrations().size());
    EXPECT_EQ(Job(file_), "1 QUEUED key name");
    EXPECT_EQ(VersionOf(CopyOf(1)), 1);
  }
}

}  // namespace
}  // namespace moeprobe

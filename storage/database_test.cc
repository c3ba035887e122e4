#include "storage/database.h"

#include <SQLiteCpp/Database.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/connection.h"
#include "storage/database_copy.h"
#include "storage/schema.h"
#include "storage/statement.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

class DatabaseTest : public testing::Test {
 protected:
  absl::Status Open() { return Database::Open(file_).status(); }

  // Runs SQL on the file behind the back of the class.
  void Tamper(const std::string& sql) {
    Connection raw(file_.string(),
                   SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    raw.exec(sql);
  }

  void Overwrite(const std::string& bytes, std::streamoff position) {
    std::fstream stream(file_, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(position);
    stream << bytes;
  }

  void OverwriteRootOf(const std::string& table) {
    int64_t page = 0;
    {
      Connection raw(file_.string());
      page = *QueryInteger(
          raw, "SELECT rootpage FROM sqlite_schema WHERE name = ?1", table);
    }
    Overwrite(std::string(4096, '\xff'), (page - 1) * 4096);
  }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "moeprobe.db";
};

TEST_F(DatabaseTest, BringsANewFileToTheNewestSchema) {
  ASSERT_TRUE(Open().ok());
  Connection raw(file_.string());
  EXPECT_EQ(QueryInteger(raw, "PRAGMA user_version"), Migrations().size());
  EXPECT_EQ(QueryInteger(raw, "PRAGMA application_id"), kApplicationId);
  EXPECT_EQ(QueryText(raw, "PRAGMA journal_mode"), "wal");
}

TEST_F(DatabaseTest, KeepsWhatWasThereBeforeThereWereUsers) {
  constexpr int kBeforeUsers = 4;
  for (int step = 0; step < kBeforeUsers; ++step) Tamper(Migrations()[step]);
  Tamper(absl::StrCat("PRAGMA application_id = ", kApplicationId,
                      "; PRAGMA user_version = ", kBeforeUsers));
  Tamper(
      "INSERT INTO job(state, spec, request_key, request_id, request_digest, "
      "layer_count, create_time, change_time) "
      "VALUES('QUEUED', x'00', 'k', 'id', 'd', 1, 1, 1);"
      "INSERT INTO dataset(id, sha256, kind, display_name, size_bytes, "
      "create_time) VALUES(7, 's', 'text', 'n', 5, 1)");
  ASSERT_TRUE(Open().ok());
  Connection raw(file_.string(), SQLite::OPEN_READWRITE);
  EXPECT_EQ(QueryText(raw, "SELECT owner FROM job WHERE NOT private"), "");
  EXPECT_EQ(QueryText(raw, "SELECT request_id FROM job"), "id");
  EXPECT_EQ(QueryInteger(raw,
                         "SELECT id FROM dataset WHERE sha256 = 's' AND "
                         "owner = '' AND NOT private"),
            7);
  // Ids go on where they were.
  raw.exec(
      "INSERT INTO dataset(sha256, owner, private, kind, display_name, "
      "size_bytes, create_time) VALUES('t', '', 0, 'ids', 'n', 5, 1)");
  EXPECT_EQ(QueryInteger(raw, "SELECT max(id) FROM dataset"), 8);
}

TEST_F(DatabaseTest, LosesNothingWhenOpenedAgain) {
  {
    const auto database = Database::Open(file_);
    ASSERT_TRUE(database.ok()) << database.status();
    ASSERT_TRUE((*database)
                    ->Write([](Connection& db) -> absl::Status {
                      Execute(db,
                              "INSERT INTO tokenization VALUES('a','b','c')");
                      return absl::OkStatus();
                    })
                    .ok());
  }
  ASSERT_TRUE(Open().ok());
  Connection raw(file_.string());
  EXPECT_EQ(QueryText(raw, "SELECT ids_sha256 FROM tokenization"), "c");
}

TEST_F(DatabaseTest, TakesAnEmptyFile) {
  std::ofstream(file_).close();
  EXPECT_TRUE(Open().ok());
}

TEST_F(DatabaseTest, RefusesTextThatIsNoDatabase) {
  std::ofstream(file_) << std::string(5000, 'x');
  const absl::Status status = Open();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr(file_.string()));
}

TEST_F(DatabaseTest, RefusesADamagedPage) {
  ASSERT_TRUE(Open().ok());
  Overwrite(std::string(4096, '\xff'), 4096);
  const absl::Status status = Open();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(file_.string()));
}

// Whoever reads them finds out: opening takes no longer for more results.
TEST_F(DatabaseTest, LeavesPagesOfArraysToThoseWhoReadThem) {
  ASSERT_TRUE(Open().ok());
  OverwriteRootOf("matrix");
  EXPECT_TRUE(Open().ok());
  EXPECT_FALSE(CheckDatabase(file_).ok());
}

TEST_F(DatabaseTest, RefusesADamagedPageOfJobs) {
  ASSERT_TRUE(Open().ok());
  OverwriteRootOf("job");
  EXPECT_EQ(Open().code(), absl::StatusCode::kDataLoss);
}

TEST_F(DatabaseTest, RefusesAFileThatWasCut) {
  ASSERT_TRUE(Open().ok());
  std::filesystem::resize_file(file_, 3 * 4096);
  EXPECT_EQ(Open().code(), absl::StatusCode::kDataLoss);
}

TEST_F(DatabaseTest, RefusesANewerSchema) {
  ASSERT_TRUE(Open().ok());
  Tamper("PRAGMA user_version = 999; PRAGMA journal_mode = DELETE");
  const std::string before = *Sha256OfFile(file_);
  const absl::Status status = Open();
  EXPECT_EQ(*Sha256OfFile(file_), before);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("newer moeprobe"));
}

TEST_F(DatabaseTest, RefusesTheDatabaseOfAnotherProgram) {
  Tamper("CREATE TABLE theirs(x); PRAGMA application_id = 7");
  EXPECT_EQ(Open().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(DatabaseTest, UndoesAWriteThatFails) {
  const auto database = Database::Open(file_);
  ASSERT_TRUE(database.ok());
  const auto insert = [](Connection& db) -> absl::Status {
    Execute(db, "INSERT INTO tokenization VALUES('a', 'b', 'c')");
    return absl::CancelledError("on purpose");
  };
  EXPECT_EQ((*database)->Write(insert).code(), absl::StatusCode::kCancelled);
  Connection raw(file_.string());
  EXPECT_EQ(QueryInteger(raw, "SELECT count(*) FROM tokenization"), 0);
}

TEST_F(DatabaseTest, SaysThatTheDiskIsFullAndGoesOnOnceItIsNot) {
  const auto database = Database::Open(file_);
  ASSERT_TRUE(database.ok());
  const auto limit = [](int64_t pages) {
    return [pages](Connection& db) -> absl::Status {
      db.exec(absl::StrCat("PRAGMA max_page_count = ", pages));
      return absl::OkStatus();
    };
  };
  const auto insert = [](Connection& db) -> absl::Status {
    Execute(db, "INSERT INTO tokenization VALUES(?1, '', '')",
            std::string(1 << 20, 'x'));
    return absl::OkStatus();
  };
  ASSERT_TRUE((*database)->Write(limit(60)).ok());
  EXPECT_EQ((*database)->Write(insert).code(),
            absl::StatusCode::kResourceExhausted);
  Connection raw(file_.string());
  EXPECT_EQ(QueryInteger(raw, "SELECT count(*) FROM tokenization"), 0);
  ASSERT_TRUE((*database)->Write(limit(100'000)).ok());
  EXPECT_TRUE((*database)->Write(insert).ok());
}

TEST_F(DatabaseTest, ReadsWhatWasAcknowledgedAndNothingElse) {
  const auto database = Database::Open(file_);
  ASSERT_TRUE(database.ok());
  const auto count = [](Connection& db) -> absl::StatusOr<int64_t> {
    return *QueryInteger(db, "SELECT count(*) FROM tokenization");
  };
  EXPECT_TRUE((*database)
                  ->Write([&](Connection& db) -> absl::Status {
                    Execute(db, "INSERT INTO tokenization VALUES('a','b','c')");
                    EXPECT_EQ(*(*database)->Read(count), 0);
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(*(*database)->Read(count), 1);
}

TEST_F(DatabaseTest, ReadsOneStateOfTheDatabase) {
  const auto database = Database::Open(file_);
  ASSERT_TRUE(database.ok());
  const auto count = [](Connection& db) {
    return *QueryInteger(db, "SELECT count(*) FROM tokenization");
  };
  const auto insert = [](Connection& db) -> absl::Status {
    Execute(db, "INSERT INTO tokenization VALUES('a', 'b', 'c')");
    return absl::OkStatus();
  };
  EXPECT_TRUE((*database)
                  ->Read([&](Connection& db) -> absl::Status {
                    EXPECT_EQ(count(db), 0);
                    EXPECT_TRUE((*database)->Write(insert).ok());
                    EXPECT_EQ(count(db), 0);
                    return absl::OkStatus();
                  })
                  .ok());
}

TEST_F(DatabaseTest, DoesNotWriteWhereItReads) {
  const auto database = Database::Open(file_);
  ASSERT_TRUE(database.ok());
  EXPECT_FALSE((*database)
                   ->Read([](Connection& db) -> absl::Status {
                     Execute(db,
                             "INSERT INTO tokenization VALUES('a', 'b', 'c')");
                     return absl::OkStatus();
                   })
                   .ok());
}

}  // namespace
}  // namespace moeprobe

#include "storage/backup.h"

#include <algorithm>
#include <barrier>
#include <filesystem>
#include <fstream>
#include <ios>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "core/base/directory_entries.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/backup_manifest.h"
#include "storage/blob_store.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/statement.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

using testing::AnyOf;
using testing::HasSubstr;
using testing::UnorderedElementsAreArray;

// A store with one data set.
class BackupTest : public testing::Test {
 protected:
  BackupTest() {
    fs::create_directories(data_);
    database_ = *Database::Open(data_ / "moeprobe.db");
    sha256_ = *BlobStore::Open(data_ / "blobs")->Put("a text");
    Remember(sha256_);
  }

  void Remember(const std::string& sha256) {
    EXPECT_TRUE(database_
                    ->Write([&](Connection& db) -> absl::Status {
                      Execute(db,
                              "INSERT INTO tokenization VALUES(?1, 'b', ?1)",
                              sha256);
                      return absl::OkStatus();
                    })
                    .ok());
  }

  void ExpectNothingBut(const std::vector<fs::path>& paths) {
    EXPECT_THAT(*DirectoryEntries(directory_.path()),
                UnorderedElementsAreArray(paths));
  }

  TemporaryDirectory directory_;
  fs::path data_ = directory_.path() / "data";
  fs::path backup_ = directory_.path() / "backup";
  fs::path restored_ = directory_.path() / "restored";
  std::unique_ptr<Database> database_;
  std::string sha256_;
};

TEST_F(BackupTest, RestoresWhatWasThereWhenItWasMade) {
  const auto size = WriteBackup(data_, backup_);
  ASSERT_TRUE(size.ok()) << size.status();
  EXPECT_EQ(size->file_count, 2);
  Remember("later");
  const auto restored = RestoreBackup(backup_, restored_);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->size_bytes, size->size_bytes);
  const auto again = Database::Open(restored_ / "moeprobe.db");
  ASSERT_TRUE(again.ok()) << again.status();
  Connection raw((restored_ / "moeprobe.db").string());
  EXPECT_EQ(QueryText(raw, "SELECT group_concat(ids_sha256) FROM tokenization"),
            sha256_);
  EXPECT_EQ(BlobStore::Open(restored_ / "blobs")->Read(sha256_).value_or(""),
            "a text");
}

TEST_F(BackupTest, MakesDatabasesThatAreTheirOwn) {
  ASSERT_TRUE(WriteBackup(data_, backup_).ok());
  ASSERT_TRUE(RestoreBackup(backup_, restored_).ok());
  ASSERT_TRUE(RestoreBackup(backup_, restored_.native() + " again").ok());
  std::set<std::optional<std::string>> numbers;
  for (const fs::path& directory :
       {data_, backup_, restored_, fs::path(restored_.native() + " again")}) {
    Connection raw((directory / "moeprobe.db").string());
    numbers.insert(QueryText(raw, "SELECT id FROM identity"));
  }
  EXPECT_EQ(numbers.size(), 4);
}

TEST_F(BackupTest, NeverOverwrites) {
  ASSERT_TRUE(WriteBackup(data_, backup_).ok());
  EXPECT_EQ(WriteBackup(data_, backup_).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(RestoreBackup(backup_, data_).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

// As where a command is interrupted and run again: the server goes on.
TEST_F(BackupTest, IsMadeOnceHoweverManyMakeIt) {
  constexpr int kMakers = 4;
  std::vector<absl::Status> made(kMakers);
  std::barrier start(kMakers);
  std::vector<std::thread> makers;
  makers.reserve(kMakers);
  for (absl::Status& status : made) {
    makers.emplace_back([&] {
      start.arrive_and_wait();
      status = WriteBackup(data_, backup_).status();
    });
  }
  for (std::thread& maker : makers) maker.join();
  EXPECT_EQ(std::ranges::count_if(made, &absl::Status::ok), 1);
  for (const absl::Status& status : made) {
    EXPECT_THAT(status.code(),
                AnyOf(absl::StatusCode::kOk, absl::StatusCode::kAlreadyExists,
                      absl::StatusCode::kFailedPrecondition))
        << status;
  }
  const auto restored = RestoreBackup(backup_, restored_);
  EXPECT_TRUE(restored.ok()) << restored.status();
}

TEST_F(BackupTest, RefusesABackupThatWasNotFinished) {
  ASSERT_TRUE(WriteBackup(data_, backup_).ok());
  fs::remove(backup_ / "manifest");
  EXPECT_EQ(RestoreBackup(backup_, restored_).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(fs::exists(restored_));
}

TEST_F(BackupTest, TakesThePlaceOfOneThatWasNotFinished) {
  const fs::path left = backup_.native() + ".partial";
  fs::create_directories(left / "blobs");
  std::ofstream(left / "blobs" / sha256_) << "half";
  ASSERT_TRUE(WriteBackup(data_, backup_).ok());
  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(RestoreBackup(backup_, restored_).ok());
}

TEST_F(BackupTest, RefusesFilesThatAreNotWhatTheyWere) {
  ASSERT_TRUE(WriteBackup(data_, backup_).ok());
  for (const fs::path& name :
       {fs::path("moeprobe.db"), "blobs" / fs::path(sha256_)}) {
    const fs::path path = backup_ / name;
    const fs::path kept = directory_.path() / "kept";
    fs::rename(path, kept);
    EXPECT_EQ(RestoreBackup(backup_, restored_).status().code(),
              absl::StatusCode::kDataLoss);
    fs::copy_file(kept, path);
    std::ofstream(path, std::ios::in | std::ios::out) << "x";
    EXPECT_EQ(RestoreBackup(backup_, restored_).status().code(),
              absl::StatusCode::kDataLoss);
    EXPECT_FALSE(fs::exists(restored_));
    fs::remove(path);
    fs::rename(kept, path);
  }
  EXPECT_TRUE(RestoreBackup(backup_, restored_).ok());
}

// The manifest, too, is of another backup, or somebody changed it.
TEST_F(BackupTest, NamesABlobThatTheManifestLacks) {
  ASSERT_TRUE(WriteBackup(data_, backup_).ok());
  const std::string name = "blobs/" + sha256_;
  const BackupManifest whole = *ReadManifest(backup_);
  BackupManifest without = whole;
  without.erase(name);
  BackupManifest renamed = without;
  renamed["blobs/" + std::string(64, '0')] = sha256_;
  BackupManifest changed = whole;
  changed[name] = Sha256Hex("another text");
  fs::copy_file(backup_ / name, backup_ / "blobs" / std::string(64, '0'));
  fs::remove(backup_ / name);  // a link to what is stored
  std::ofstream(backup_ / name) << "another text";
  for (const BackupManifest& manifest : {without, renamed, changed}) {
    ASSERT_TRUE(WriteManifest(backup_, manifest).ok());
    const absl::Status status = RestoreBackup(backup_, restored_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(backup_ / name));
    ExpectNothingBut({data_, backup_});
  }
}

TEST_F(BackupTest, RefusesAManifestThatLeadsElsewhere) {
  ASSERT_TRUE(WriteBackup(data_, backup_).ok());
  std::ofstream(backup_ / "manifest", std::ios::app)
      << std::string(64, '0') << "  ../../etc/passwd\n";
  EXPECT_EQ(RestoreBackup(backup_, restored_).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(BackupTest, SaysThatSomethingStoredIsDamaged) {
  std::ofstream(data_ / "blobs" / sha256_) << "another text";
  EXPECT_EQ(WriteBackup(data_, backup_).status().code(),
            absl::StatusCode::kDataLoss);
  ExpectNothingBut({data_});
}

}  // namespace
}  // namespace moeprobe

#include "storage/doctor.h"

#include <SQLiteCpp/Database.h>

#include <filesystem>
#include <fstream>
#include <ios>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/blob_store.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/statement.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;
namespace fs = std::filesystem;

// A store with one blob that a row stands for, and a job that waits.
class DoctorTest : public testing::Test {
 protected:
  DoctorTest() {
    fs::create_directories(data_ / "scratch");
    const auto database = Database::Open(data_ / "moeprobe.db");
    const BlobStore blobs = *BlobStore::Open(data_ / "blobs");
    sha256_ = *blobs.Put("a text");
    blobs.Confirm(sha256_);
    EXPECT_TRUE((*database)
                    ->Write([&](Connection& db) -> absl::Status {
                      Execute(db,
                              "INSERT INTO tokenization VALUES('a', 'b', ?1)",
                              sha256_);
                      Execute(db,
                              "INSERT INTO job(state, spec, request_key, "
                              "layer_count, create_time, change_time) "
                              "VALUES('QUEUED', x'', '', 1, 0, 0)");
                      return absl::OkStatus();
                    })
                    .ok());
  }

  // What is found, as "path: what", and how much of it is garbage.
  std::vector<std::string> Found() {
    std::vector<std::string> found;
    const auto findings = Examine(data_);
    EXPECT_TRUE(findings.ok()) << findings.status();
    for (const Finding& finding : *findings) {
      found.push_back(fs::relative(finding.path, data_).native() + ": " +
                      finding.what);
      EXPECT_TRUE(!finding.is_garbage || RemoveGarbage(finding).ok());
    }
    return found;
  }

  TemporaryDirectory directory_;
  fs::path data_ = directory_.path() / "data";
  std::string sha256_;
};

TEST_F(DoctorTest, FindsNothingInAGoodStore) {
  fs::create_directories(data_ / "scratch/1");
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(DoctorTest, FindsBlobsThatAreGoneOrDamaged) {
  const fs::path blob = data_ / "blobs" / sha256_;
  std::ofstream(blob) << "another";
  EXPECT_THAT(Found(),
              ElementsAre("blobs/" + sha256_ + ": is not what it was"));
  EXPECT_TRUE(fs::exists(blob));
  fs::remove(blob);
  EXPECT_THAT(Found(), ElementsAre("blobs/" + sha256_ + ": is missing"));
}

TEST_F(DoctorTest, RemovesWhatIsCertainlyGarbage) {
  {
    Connection raw((data_ / "moeprobe.db").string(), SQLite::OPEN_READWRITE);
    raw.exec(
        "INSERT INTO trained_run(name) VALUES('0123');"
        "INSERT INTO job_run VALUES(1, '0123')");
  }
  fs::create_directories(data_ / "trained/4567");
  std::ofstream(data_ / "blobs/unfinished-x") << "half";
  fs::create_directories(data_ / "scratch/7");
  fs::create_directories(data_ / "moeprobe.db.partial");
  fs::create_directories(data_ / "trained/0123/checkpoint.partial");
  EXPECT_THAT(Found(),
              ElementsAre("blobs/unfinished-x: belongs to nothing that is "
                          "stored",
                          "trained/4567: is a model that no job has",
                          "scratch/7: is scratch of a job that has ended",
                          "moeprobe.db.partial: was never finished",
                          "trained/0123/checkpoint.partial: was never "
                          "finished"));
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(DoctorTest, DoesNotTakeAFolderThatItCannotReadForAnEmptyOne) {
  fs::remove(data_ / "scratch");
  std::ofstream(data_ / "scratch") << "in its place";
  EXPECT_THAT(Found(), ElementsAre(StartsWith("scratch: cannot be read: ")));
  EXPECT_TRUE(fs::exists(data_ / "scratch"));
}

TEST_F(DoctorTest, FindsRowsThatReferToNothing) {
  {
    Connection raw((data_ / "moeprobe.db").string(), SQLite::OPEN_READWRITE);
    raw.exec("INSERT INTO job_group VALUES(1, 0, 0, 'routing', 77)");
  }
  EXPECT_THAT(Found(), ElementsAre("moeprobe.db: a row of job_group refers to "
                                   "none of cache_entry"));
}

TEST_F(DoctorTest, FindsDamagedPages) {
  std::fstream file(data_ / "moeprobe.db",
                    std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(std::streamoff{2} * 4096);
  file << std::string(4096, '\xff');
  file.close();
  const auto findings = Examine(data_);
  EXPECT_TRUE(!findings.ok() || !findings->empty());
}

TEST_F(DoctorTest, SaysThatThereIsNoStore) {
  EXPECT_EQ(Examine(directory_.path()).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace moeprobe

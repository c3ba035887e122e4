#include "storage/settle_blobs.h"

#include <memory>
#include <string>

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

using testing::IsEmpty;

class SettleBlobsTest : public testing::Test {
 protected:
  void AddRow(const std::string& sha256) {
    const absl::Status added =
        database_->Write([&](Connection& db) -> absl::Status {
          Execute(db, "INSERT INTO tokenization VALUES('text', 'by', ?1)",
                  sha256);
          return absl::OkStatus();
        });
    ASSERT_TRUE(added.ok()) << added;
  }

  TemporaryDirectory directory_;
  BlobStore blobs_ = *BlobStore::Open(directory_.path() / "blobs");
  std::unique_ptr<Database> database_ =
      *Database::Open(directory_.path() / "moeprobe.db");
};

TEST_F(SettleBlobsTest, KeepsWhatARowStandsForAndRemovesTheRest) {
  const std::string kept = *blobs_.Put("kept"), lost = *blobs_.Put("lost");
  AddRow(kept);
  ASSERT_TRUE(SettleBlobs(*database_, blobs_).ok());
  EXPECT_EQ(*blobs_.Read(kept), "kept");
  EXPECT_FALSE(blobs_.Read(lost).ok());
  EXPECT_THAT(*blobs_.Unconfirmed(), IsEmpty());
}

// A database that was put there by hand must not cost what it does not know.
TEST_F(SettleBlobsTest, LeavesConfirmedBlobsAlone) {
  const std::string confirmed = *blobs_.Put("confirmed");
  blobs_.Confirm(confirmed);
  ASSERT_TRUE(SettleBlobs(*database_, blobs_).ok());
  EXPECT_EQ(*blobs_.Read(confirmed), "confirmed");
}

}  // namespace
}  // namespace moeprobe

#include "storage/blob_store.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "core/base/file_content.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class BlobStoreTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  BlobStore blobs_ = *BlobStore::Open(directory_.path());
};

TEST_F(BlobStoreTest, ReturnsWhatWasPutUnderItsDigest) {
  const std::string bytes("a\0b", 3);
  EXPECT_EQ(*blobs_.Put(bytes), Sha256Hex(bytes));
  EXPECT_EQ(*blobs_.Read(Sha256Hex(bytes)), bytes);
  EXPECT_EQ(*blobs_.Put(bytes), Sha256Hex(bytes));
  blobs_.Confirm(Sha256Hex(bytes));
  EXPECT_EQ(directory_.FileCount(), 1);
}

TEST_F(BlobStoreTest, KnowsWhatIsNotConfirmedYet) {
  const std::string first = *blobs_.Put("first"),
                    second = *blobs_.Put("second");
  EXPECT_THAT(*blobs_.Unconfirmed(), UnorderedElementsAre(first, second));
  blobs_.Confirm(first);
  EXPECT_THAT(*blobs_.Unconfirmed(), ElementsAre(second));
  EXPECT_EQ(*blobs_.Read(second), "second");
  EXPECT_TRUE(blobs_.Discard(second).ok());
  EXPECT_TRUE(blobs_.Discard(second).ok()) << "it is not there";
  EXPECT_THAT(*blobs_.Unconfirmed(), IsEmpty());
  EXPECT_EQ(directory_.FileCount(), 1);
  // Whoever puts it again may fail: what stood for it still does.
  EXPECT_EQ(*blobs_.Put("first"), first);
  EXPECT_THAT(*blobs_.Unconfirmed(), ElementsAre(first));
}

TEST_F(BlobStoreTest, LeavesNothingOfABlobThatIsNotCommitted) {
  {
    auto writer = blobs_.NewBlob();
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->Append("half").ok());
    EXPECT_EQ(directory_.FileCount(), 1);
  }
  EXPECT_EQ(directory_.FileCount(), 0);
}

TEST_F(BlobStoreTest, RemovesWhatAKilledProcessLeft) {
  std::ofstream(directory_.path() / "unfinished-abc123") << "half";
  ASSERT_TRUE(BlobStore::Open(directory_.path()).ok());
  EXPECT_EQ(directory_.FileCount(), 0);
}

TEST_F(BlobStoreTest, SaysThatItCannotTellWhichBlobsThereAre) {
  std::filesystem::remove(directory_.path());
  EXPECT_EQ(blobs_.List().status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(blobs_.Unconfirmed().status().code(), absl::StatusCode::kNotFound);
}

TEST_F(BlobStoreTest, NoticesAFlippedBitAndAMissingFile) {
  const std::string sha256 = *blobs_.Put("bytes");
  std::ofstream(blobs_.PathOf(sha256)) << "bytez";
  EXPECT_EQ(blobs_.Read(sha256).status().code(), absl::StatusCode::kDataLoss);
  std::filesystem::remove(blobs_.PathOf(sha256));
  EXPECT_EQ(blobs_.Read(sha256).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(BlobStoreTest, ReadsLargeOnesInPieces) {
  std::string bytes(5 * kFilePieceBytes / 2, 'a');
  bytes.back() = 'z';
  const std::string sha256 = *blobs_.Put(bytes);
  std::vector<std::string> pieces;
  const auto visit = [&](std::string_view piece) {
    pieces.emplace_back(piece);
    return absl::OkStatus();
  };
  ASSERT_TRUE(blobs_.ReadInPieces(sha256, visit).ok());
  EXPECT_EQ(absl::StrJoin(pieces, ""), bytes);
  EXPECT_EQ(pieces.size(), 3U);
}

TEST_F(BlobStoreTest, VisitsNoPieceOfWhatIsNotWhatItWas) {
  const std::string bytes(3 * kFilePieceBytes, 'a');
  const std::string sha256 = *blobs_.Put(bytes);
  const auto fail = [](std::string_view /*piece*/) {
    return absl::AbortedError("visited");
  };
  EXPECT_TRUE(absl::IsAborted(blobs_.ReadInPieces(sha256, fail)));
  std::filesystem::resize_file(blobs_.PathOf(sha256), bytes.size() - 1);
  EXPECT_TRUE(absl::IsDataLoss(blobs_.ReadInPieces(sha256, fail)));
  std::filesystem::remove(blobs_.PathOf(sha256));
  EXPECT_TRUE(absl::IsDataLoss(blobs_.ReadInPieces(sha256, fail)));
}

TEST_F(BlobStoreTest, SaysThatTheDiskIsFullAndLeavesNothing) {
  // A limit on the size of files stands for the size of the disk.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = blobs_.Put(std::string(5000, 'x')).status();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(directory_.FileCount(), 0);
}

TEST_F(BlobStoreTest, DiscardsWhatNothingStandsFor) {
  const std::string needed = *blobs_.Put("needed");
  const std::string orphan = *blobs_.Put("orphan");
  const auto is_needed = [&](const std::string& sha256) {
    return absl::StatusOr<bool>(sha256 == needed);
  };
  EXPECT_TRUE(*blobs_.DiscardUnneeded({needed, orphan, orphan}, is_needed));
  EXPECT_THAT(*blobs_.List(), testing::ElementsAre(needed));
}

TEST_F(BlobStoreTest, KnowsWhatNoRowCouldBeStoredFor) {
  const std::string kept = *blobs_.Put("kept");
  const std::string failed = *blobs_.Put("failed");
  const std::string again = *blobs_.Put("again");
  EXPECT_THAT(blobs_.Unsettled(), UnorderedElementsAre(kept, failed, again));
  blobs_.Confirm(kept);
  const auto is_needed = [&](const std::string& sha256) {
    return absl::StatusOr<bool>(sha256 == again);
  };
  EXPECT_TRUE(*blobs_.DiscardUnneeded(blobs_.Unsettled(), is_needed));
  EXPECT_THAT(blobs_.Unsettled(), IsEmpty());
  EXPECT_THAT(*blobs_.List(), UnorderedElementsAre(kept, again));
  EXPECT_THAT(*blobs_.Unconfirmed(), IsEmpty());
}

TEST_F(BlobStoreTest, DiscardsNothingWhileSomebodyHoldsBlobs) {
  const std::string blob = *blobs_.Put("bytes");
  const auto is_needed = [](const std::string&) {
    return absl::StatusOr<bool>(false);
  };
  {
    const BlobStore::Hold hold = blobs_.HoldAll();
    bool discarded = true;
    // From another thread, as discards are.
    std::thread([&] {
      discarded = *blobs_.DiscardUnneeded({blob}, is_needed);
    }).join();
    EXPECT_FALSE(discarded);
    EXPECT_TRUE(blobs_.Read(blob).ok());
  }
  EXPECT_TRUE(*blobs_.DiscardUnneeded({blob}, is_needed));
  EXPECT_THAT(*blobs_.List(), testing::IsEmpty());
}

TEST_F(BlobStoreTest, DiscardsNothingOfWhichItCannotTell) {
  const std::string blob = *blobs_.Put("bytes");
  const auto is_needed = [](const std::string&) -> absl::StatusOr<bool> {
    return absl::UnavailableError("disk");
  };
  EXPECT_FALSE(blobs_.DiscardUnneeded({blob}, is_needed).ok());
  EXPECT_TRUE(blobs_.Read(blob).ok());
}

}  // namespace
}  // namespace moeprobe

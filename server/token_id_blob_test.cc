#include "server/token_id_blob.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/file_content.h"
#include "core/base/npy.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/blob_store.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class TokenIdBlobTest : public testing::Test {
 protected:
  std::filesystem::path Write(const std::string& bytes) {
    std::filesystem::path path = directory_.path() / "ids.npy";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  TemporaryDirectory directory_;
  BlobStore blobs_ = *BlobStore::Open(directory_.path() / "blobs");
};

TEST_F(TokenIdBlobTest, StoresIdsOfSeveralPieces) {
  std::vector<int32_t> ids(kFilePieceBytes, 7);
  ids[12345] = 4711;
  const std::string npy = EncodeTokenIds(ids);
  const auto stored = StoreTokenIds(Write(npy), blobs_);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(stored->sha256, Sha256Hex(npy));
  EXPECT_EQ(stored->ids.count, ids.size());
  EXPECT_EQ(stored->ids.largest, 4711);
  EXPECT_EQ(*blobs_.Read(stored->sha256), npy);
}

TEST_F(TokenIdBlobTest, StoresNothingElse) {
  const absl::Status status = StoreTokenIds(Write("no ids"), blobs_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("npy"));
  EXPECT_THAT(*blobs_.List(), IsEmpty());
  EXPECT_EQ(StoreTokenIds(directory_.path() / "none", blobs_).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace moeprobe

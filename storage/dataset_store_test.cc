#include "storage/dataset_store.h"

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "storage/database.h"
#include "storage/fingerprint_store.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

class DatasetStoreTest : public testing::Test {
 protected:
  absl::Status Add(const std::string& sha256, const std::string& name) {
    return datasets_.Add({.sha256 = sha256,
                          .is_text = true,
                          .display_name = name,
                          .size_bytes = 5,
                          .create_time = absl::Now()});
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ =
      *Database::Open(directory_.path() / "moeprobe.db");
  DatasetStore datasets_{database_.get()};
  FingerprintStore fingerprints_{database_.get()};
};

TEST_F(DatasetStoreTest, FindsTheNewestOfAName) {
  ASSERT_TRUE(Add("a", "text").ok());
  ASSERT_TRUE(Add("b", "text").ok());
  EXPECT_EQ(datasets_.GetByDisplayName("text")->sha256, "b");
  EXPECT_TRUE(datasets_.Get("a")->is_text);
  EXPECT_EQ(datasets_.Get("c").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(datasets_.GetByDisplayName("a").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(DatasetStoreTest, KeepsEachDigestOnce) {
  ASSERT_TRUE(Add("a", "old").ok());
  ASSERT_TRUE(Add("a", "new").ok());
  const auto rows = datasets_.List(INT64_MAX, 10);
  ASSERT_EQ(rows->size(), 1);
  EXPECT_EQ(rows->front().display_name, "new");
}

TEST_F(DatasetStoreTest, ListsFromNewToOld) {
  ASSERT_TRUE(Add("a", "1").ok());
  ASSERT_TRUE(Add("b", "2").ok());
  const auto first = datasets_.List(INT64_MAX, 1);
  ASSERT_EQ(first->front().sha256, "b");
  EXPECT_EQ(datasets_.List(first->front().id, 1)->front().sha256, "a");
}

TEST_F(DatasetStoreTest, RemembersWhatTokenisersMade) {
  EXPECT_FALSE(fingerprints_.Tokenization("t", "k")->has_value());
  ASSERT_TRUE(fingerprints_.RememberTokenization("t", "k", "ids").ok());
  EXPECT_EQ(**fingerprints_.Tokenization("t", "k"), "ids");
  EXPECT_FALSE(fingerprints_.Tokenization("t", "other")->has_value());
}

TEST_F(DatasetStoreTest, RemembersIdsAsCut) {
  const WindowOptions windows{
      .tokens = 4, .sequence_length = 2, .skip_first = 1};
  ASSERT_TRUE(
      fingerprints_
          .RememberData(
              "ids", windows,
              {.fingerprint = "f", .token_count = 4, .first_ids = {7, 0, 9}})
          .ok());
  const auto data = fingerprints_.Data("ids", windows);
  ASSERT_TRUE(data->has_value());
  EXPECT_EQ((*data)->first_ids, (std::vector<int32_t>{7, 0, 9}));
  WindowOptions other = windows;
  other.skip_first = 0;
  EXPECT_FALSE(fingerprints_.Data("ids", other)->has_value());
}

}  // namespace
}  // namespace moeprobe

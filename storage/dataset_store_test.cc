#include "storage/dataset_store.h"

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "storage/access.h"
#include "storage/database.h"
#include "storage/fingerprint_store.h"
#include "storage/limits.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

const Viewer kAlice{.name = "alice"};
const Viewer kBob{.name = "bob"};
const Viewer kCarol{.name = "carol"};

class DatasetStoreTest : public testing::Test {
 protected:
  absl::Status Add(const std::string& sha256, const std::string& name,
                   const Access& access = {.owner = "bob"}) {
    return datasets_.Add({.access = access,
                          .sha256 = sha256,
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
  EXPECT_EQ(datasets_.GetByDisplayName(kBob, "text")->sha256, "b");
  EXPECT_TRUE(datasets_.Get(kBob, "a")->is_text);
  EXPECT_EQ(datasets_.Get(kBob, "c").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(datasets_.GetByDisplayName(kBob, "a").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(DatasetStoreTest, KeepsEachDigestOnce) {
  ASSERT_TRUE(Add("a", "old").ok());
  ASSERT_TRUE(Add("a", "new").ok());
  const auto rows = datasets_.List(kBob, INT64_MAX, 10);
  ASSERT_EQ(rows->size(), 1);
  EXPECT_EQ(rows->front().display_name, "new");
}

TEST_F(DatasetStoreTest, RefusesMoreThanTheLimits) {
  DatasetStore limited(database_.get(), Limits{.dataset_bytes_per_user = 10,
                                               .dataset_bytes = 15});
  const auto add = [&](const std::string& sha256, const std::string& owner) {
    return limited.Add({.access = {.owner = owner},
                        .sha256 = sha256,
                        .is_text = true,
                        .display_name = "text",
                        .size_bytes = 5,
                        .create_time = absl::Now()});
  };
  ASSERT_TRUE(add("a", "bob").ok());
  ASSERT_TRUE(add("b", "bob").ok());
  const absl::Status refused = add("c", "bob");
  EXPECT_TRUE(absl::IsResourceExhausted(refused));
  EXPECT_EQ(refused.message(),
            "\"text\": 5 bytes, and bob has 10 bytes, of at most 10 "
            "(--max-dataset-bytes-per-user); waiting makes no room: ask an "
            "admin for a larger limit");
  EXPECT_TRUE(add("a", "bob").ok());  // again
  EXPECT_TRUE(add("a", "alice").ok());
  EXPECT_EQ(add("b", "alice").message(),
            "\"text\": 5 bytes, and there are 15 bytes, of at most 15 "
            "(--max-dataset-bytes); waiting makes no room: ask an admin for a "
            "larger limit");
  EXPECT_EQ(limited.List(ServerItself(), INT64_MAX, 10)->size(), 2);
}

TEST_F(DatasetStoreTest, ListsFromNewToOld) {
  ASSERT_TRUE(Add("a", "1").ok());
  ASSERT_TRUE(Add("b", "2").ok());
  const auto first = datasets_.List(kBob, INT64_MAX, 1);
  ASSERT_EQ(first->front().sha256, "b");
  EXPECT_EQ(datasets_.List(kBob, first->front().id, 1)->front().sha256, "a");
}

TEST_F(DatasetStoreTest, HidesWhatIsPrivate) {
  ASSERT_TRUE(Add("a", "text",
                  {.owner = "alice", .is_private = true, .readers = {"carol"}})
                  .ok());
  for (const Viewer& viewer : {kAlice, kCarol, ServerItself()}) {
    EXPECT_TRUE(datasets_.Get(viewer, "a").ok()) << viewer.name;
    EXPECT_TRUE(datasets_.GetByDisplayName(viewer, "text").ok());
    EXPECT_EQ(datasets_.List(viewer, INT64_MAX, 10)->size(), 1);
  }
  EXPECT_EQ(datasets_.Get(kBob, "a").status(),
            absl::NotFoundError("there is no data set \"a\""));
  EXPECT_EQ(datasets_.GetByDisplayName(kBob, "text").status(),
            absl::NotFoundError("there is no data set \"text\""));
  EXPECT_TRUE(datasets_.List(kBob, INT64_MAX, 10)->empty());
}

TEST_F(DatasetStoreTest, GivesEachUserWhatTheyUploaded) {
  ASSERT_TRUE(Add("a", "hers", {.owner = "alice", .is_private = true}).ok());
  ASSERT_TRUE(Add("a", "his", {.owner = "bob"}).ok());
  EXPECT_EQ(datasets_.Get(kAlice, "a")->display_name, "hers");
  EXPECT_EQ(datasets_.Get(kBob, "a")->display_name, "his");
  EXPECT_EQ(datasets_.Get(kCarol, "a")->display_name, "his");
  for (const Viewer& viewer : {kAlice, kBob, kCarol, ServerItself()}) {
    EXPECT_EQ(datasets_.List(viewer, INT64_MAX, 10)->size(), 1) << viewer.name;
  }
}

TEST_F(DatasetStoreTest, PrefersOnesOwnFileToANewerOneOfTheSameName) {
  ASSERT_TRUE(Add("a", "text", {.owner = "alice"}).ok());
  ASSERT_TRUE(Add("b", "text", {.owner = "bob"}).ok());
  EXPECT_EQ(datasets_.GetByDisplayName(kAlice, "text")->sha256, "a");
  EXPECT_EQ(datasets_.GetByDisplayName(kCarol, "text")->sha256, "b");
}

TEST_F(DatasetStoreTest, ChangesWhoSeesWhatIsUploadedAgain) {
  ASSERT_TRUE(Add("a", "x", {.owner = "alice", .is_private = true}).ok());
  EXPECT_FALSE(datasets_.Get(kBob, "a").ok());
  ASSERT_TRUE(
      Add("a", "x", {.owner = "alice", .is_private = true, .readers = {"bob"}})
          .ok());
  EXPECT_TRUE(datasets_.Get(kBob, "a").ok());
  EXPECT_FALSE(datasets_.Get(kCarol, "a").ok());
}

TEST_F(DatasetStoreTest, GivesWhatNobodyOwnsToTheServersUser) {
  ASSERT_TRUE(Add("a", "x", {.owner = ""}).ok());
  ASSERT_TRUE(datasets_.Adopt("carol").ok());
  EXPECT_EQ(datasets_.Get(kBob, "a")->access.owner, "carol");
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

#include "storage/draft_directory.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

using testing::AllOf;
using testing::HasSubstr;

using Over = DraftDirectory::Over;

class DraftDirectoryTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  fs::path target_ = directory_.path() / "new" / "target";
  fs::path partial_ = directory_.path() / "new" / "target.partial";
};

TEST_F(DraftDirectoryTest, BecomesItsTarget) {
  auto draft = DraftDirectory::Make(target_);
  ASSERT_TRUE(draft.ok()) << draft.status();
  EXPECT_EQ(draft->path(), partial_);
  EXPECT_EQ(fs::status(partial_).permissions(), fs::perms::owner_all);
  std::ofstream(draft->path() / "file") << "content";
  ASSERT_TRUE(draft->Publish(Over::kNothing).ok());
  EXPECT_TRUE(fs::exists(target_ / "file"));
  EXPECT_FALSE(fs::exists(partial_));
}

TEST_F(DraftDirectoryTest, IsTheOnlyOneOfItsTarget) {
  const auto first = DraftDirectory::Make(target_);
  ASSERT_TRUE(first.ok()) << first.status();
  std::ofstream(first->path() / "file") << "content";
  const absl::Status second = DraftDirectory::Make(target_).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.message()),
              AllOf(HasSubstr(partial_.native()), HasSubstr("wait until")));
  EXPECT_TRUE(fs::exists(partial_ / "file"));
  EXPECT_TRUE(DraftDirectory::Make(target_.parent_path() / "other").ok());
}

TEST_F(DraftDirectoryTest, MakesRoomForTheNextOnceItIsPublished) {
  auto first = DraftDirectory::Make(target_);
  ASSERT_TRUE(first->Publish(Over::kNothing).ok());
  auto second = DraftDirectory::Make(target_);
  ASSERT_TRUE(second.ok()) << second.status();
  std::ofstream(target_ / "file") << "content";
  EXPECT_EQ(second->Publish(Over::kNothing).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(fs::exists(target_ / "file"));
}

// Where the disk is full its room is needed.
TEST_F(DraftDirectoryTest, LeavesNothingUnlessItIsPublished) {
  {
    const auto draft = DraftDirectory::Make(target_);
    ASSERT_TRUE(draft.ok()) << draft.status();
    fs::create_directory(draft->path() / "folder");
    std::ofstream(draft->path() / "folder" / "file") << "content";
  }
  EXPECT_TRUE(fs::is_empty(target_.parent_path()));
}

TEST_F(DraftDirectoryTest, TakesThePlaceOfOneThatWasNotFinished) {
  fs::create_directories(partial_ / "folder");
  std::ofstream(partial_ / "folder" / "file") << "half";
  const auto draft = DraftDirectory::Make(target_);
  ASSERT_TRUE(draft.ok()) << draft.status();
  EXPECT_TRUE(fs::is_empty(partial_));
  EXPECT_EQ(fs::status(partial_).permissions(), fs::perms::owner_all);
}

TEST_F(DraftDirectoryTest, LeavesAloneWhatIsNoDirectory) {
  fs::create_directories(partial_.parent_path());
  std::ofstream(partial_) << "content";
  EXPECT_FALSE(DraftDirectory::Make(target_).ok());
  EXPECT_TRUE(fs::is_regular_file(partial_));
}

TEST_F(DraftDirectoryTest, ReplacesAnEmptyDirectoryOnlyWhereItMay) {
  auto draft = DraftDirectory::Make(target_);
  ASSERT_TRUE(draft.ok()) << draft.status();
  fs::create_directory(target_);
  EXPECT_EQ(draft->Publish(Over::kNothing).code(),
            absl::StatusCode::kAlreadyExists);
  std::ofstream(target_ / "file") << "content";
  EXPECT_EQ(draft->Publish(Over::kEmptyDirectory).code(),
            absl::StatusCode::kAlreadyExists);
  fs::remove(target_ / "file");
  EXPECT_TRUE(draft->Publish(Over::kEmptyDirectory).ok());
}

}  // namespace
}  // namespace moeprobe

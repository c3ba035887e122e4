#include "server/access/user_directory.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/access/token.h"
#include "storage/database.h"
#include "storage/user_store.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

class UserDirectoryTest : public testing::Test {
 protected:
  std::unique_ptr<UserDirectory> Open() {
    return *UserDirectory::Open(&store_, [this] { ++changes_; });
  }

  int changes_ = 0;
  TemporaryDirectory temporary_;
  std::unique_ptr<Database> database_ =
      *Database::Open(temporary_.path() / "moeprobe.db");
  UserStore store_{database_.get()};
  std::unique_ptr<UserDirectory> users_ = Open();
};

TEST_F(UserDirectoryTest, AdmitsUsersByTokens) {
  const auto added = users_->Add("bob", /*is_admin=*/false, {});
  ASSERT_TRUE(added.ok()) << added.status();
  const auto found = users_->FindByTokenId(*TokenId(added->token));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "bob");
  EXPECT_TRUE(Matches(added->token, *found->token));
  EXPECT_TRUE(CheckAdmission(*found, absl::InfiniteFuture()).ok());
  EXPECT_EQ(changes_, 1);
}

TEST_F(UserDirectoryTest, AdmitsUsersWithoutTokens) {
  const auto added = users_->Add("bob", true, {.with_token = false});
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_EQ(added->token, "");
  EXPECT_FALSE(users_->Find("bob")->token);
  EXPECT_TRUE(users_->Find("bob")->is_admin);
}

TEST_F(UserDirectoryTest, KeepsUsersOverARestart) {
  ASSERT_TRUE(users_->Add("bob", false, {}).ok());
  ASSERT_TRUE(users_->Revoke("bob").ok());
  users_ = Open();
  EXPECT_TRUE(users_->Find("bob")->revoke_time);
}

TEST_F(UserDirectoryTest, RefusesNamesThatAreNoneOrTaken) {
  EXPECT_TRUE(absl::IsInvalidArgument(users_->Add("a/b", false, {}).status()));
  ASSERT_TRUE(users_->Add("bob", false, {}).ok());
  ASSERT_TRUE(users_->Revoke("bob").ok());
  EXPECT_TRUE(absl::IsAlreadyExists(users_->Add("bob", true, {}).status()));
  EXPECT_FALSE(users_->Find("bob")->is_admin);
  EXPECT_TRUE(absl::IsNotFound(users_->Revoke("eve").status()));
  EXPECT_TRUE(absl::IsNotFound(users_->Renew("eve", {}).status()));
}

TEST_F(UserDirectoryTest, RevokesAtOnceAndForGood) {
  ASSERT_TRUE(users_->Add("bob", false, {}).ok());
  const auto revoked = users_->Revoke("bob");
  EXPECT_THAT(
      std::string(CheckAdmission(*users_->Find("bob"), absl::Now()).message()),
      HasSubstr("bob was revoked"));
  EXPECT_EQ(users_->Revoke("bob")->revoke_time, revoked->revoke_time);
  EXPECT_EQ(changes_, 2);
}

TEST_F(UserDirectoryTest, LetsNobodyInAfterTheirTime) {
  const auto added = users_->Add("bob", false, {.lifetime = absl::Hours(1)});
  const absl::Time end = *added->user.expire_time;
  EXPECT_TRUE(CheckAdmission(added->user, end - absl::Seconds(1)).ok());
  EXPECT_TRUE(absl::IsUnauthenticated(CheckAdmission(added->user, end)));
}

TEST_F(UserDirectoryTest, EndsTheOldTokenWithANewOne) {
  const auto old = users_->Add("bob", true, {.lifetime = absl::Hours(1)});
  ASSERT_TRUE(users_->Revoke("bob").ok());
  const auto renewed = users_->Renew("bob", {});
  ASSERT_TRUE(renewed.ok());
  EXPECT_FALSE(users_->FindByTokenId(*TokenId(old->token)));
  const auto found = users_->FindByTokenId(*TokenId(renewed->token));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->is_admin);
  EXPECT_TRUE(CheckAdmission(*found, absl::InfiniteFuture()).ok());
}

TEST_F(UserDirectoryTest, NotesCallsOnceAMinute) {
  ASSERT_TRUE(users_->Add("bob", false, {}).ok());
  ASSERT_TRUE(users_->NoteCall("bob").ok());
  const auto first = users_->Find("bob")->last_call_time;
  ASSERT_TRUE(first);
  ASSERT_TRUE(users_->NoteCall("bob").ok());
  EXPECT_EQ(users_->Find("bob")->last_call_time, first);
  EXPECT_TRUE(users_->NoteCall("nobody").ok());
  EXPECT_EQ(store_.List()->front().last_call_time,
            absl::FromUnixMicros(absl::ToUnixMicros(*first)));
}

}  // namespace
}  // namespace moeprobe

#include "storage/user_store.h"

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "storage/database.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

class UserStoreTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ =
      *Database::Open(directory_.path() / "moeprobe.db");
  UserStore users_{database_.get()};
};

TEST_F(UserStoreTest, KeepsWhatItWasGiven) {
  ASSERT_TRUE(users_.Add({.name = "bob"}).ok());
  ASSERT_TRUE(users_
                  .Add({.name = "alice",
                        .is_admin = true,
                        .token = StoredToken{.id = "i", .sha256 = "s"},
                        .create_time = absl::FromUnixMicros(1),
                        .expire_time = absl::FromUnixMicros(2),
                        .last_call_time = absl::FromUnixMicros(3),
                        .revoke_time = absl::FromUnixMicros(4)})
                  .ok());
  const auto users = users_.List();
  ASSERT_TRUE(users.ok()) << users.status();
  ASSERT_EQ(users->size(), 2);
  const UserRow& alice = users->front();
  EXPECT_EQ(alice.name, "alice");
  EXPECT_TRUE(alice.is_admin);
  EXPECT_EQ(alice.token->id, "i");
  EXPECT_EQ(alice.token->sha256, "s");
  EXPECT_EQ(alice.create_time, absl::FromUnixMicros(1));
  EXPECT_EQ(alice.expire_time, absl::FromUnixMicros(2));
  EXPECT_EQ(alice.last_call_time, absl::FromUnixMicros(3));
  EXPECT_EQ(alice.revoke_time, absl::FromUnixMicros(4));
  const UserRow& bob = users->back();
  EXPECT_FALSE(bob.is_admin || bob.token || bob.expire_time ||
               bob.last_call_time || bob.revoke_time);
}

TEST_F(UserStoreTest, ChangesWhoIsThereAndAddsWhoIsNot) {
  EXPECT_EQ(users_.Change({.name = "bob"}).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(users_.Add({.name = "bob"}).ok());
  EXPECT_EQ(users_.Add({.name = "bob"}).code(),
            absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(users_.Change({.name = "bob", .is_admin = true}).ok());
  EXPECT_TRUE(users_.List()->front().is_admin);
}

TEST_F(UserStoreTest, NotesCallsAndChangesNothingElse) {
  ASSERT_TRUE(users_.Add({.name = "a", .is_admin = true}).ok());
  ASSERT_TRUE(users_.NoteCall("a", absl::FromUnixMicros(9)).ok());
  ASSERT_TRUE(users_.NoteCall("nobody", absl::FromUnixMicros(9)).ok());
  const auto users = users_.List();
  ASSERT_EQ(users->size(), 1);
  EXPECT_EQ(users->front().last_call_time, absl::FromUnixMicros(9));
  EXPECT_TRUE(users->front().is_admin);
}

TEST_F(UserStoreTest, RefusesTwoTokensOfOneId) {
  const StoredToken token{.id = "i", .sha256 = "s"};
  ASSERT_TRUE(users_.Add({.name = "a", .token = token}).ok());
  EXPECT_FALSE(users_.Add({.name = "b", .token = token}).ok());
}

}  // namespace
}  // namespace moeprobe

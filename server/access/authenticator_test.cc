#include "server/access/authenticator.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/access/caller.h"
#include "server/access/user_directory.h"
#include "storage/database.h"
#include "storage/user_store.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

constexpr uid_t kServerUid = 500;

Origin UnixSocket(uid_t uid, const std::string& user) {
  return {.peer = Peer{.uid = uid, .user = user}};
}

class AuthenticatorTest : public testing::Test {
 protected:
  std::string AddUser(const std::string& name, bool is_admin = false,
                      const Admission& admission = {}) {
    return users_->Add(name, is_admin, admission)->token;
  }

  absl::StatusOr<Caller> ByToken(const std::string& token) {
    return ByToken(token, network_);
  }
  absl::StatusOr<Caller> ByToken(const std::string& token,
                                 const Origin& origin) {
    return Ask(origin, "", {absl::StrCat("Bearer ", token)});
  }
  absl::StatusOr<Caller> ByCertificate(const std::string& name) {
    return Ask(network_, name, {});
  }
  absl::StatusOr<Caller> ByOrigin(const Origin& origin) {
    return Ask(origin, "", {});
  }
  absl::StatusOr<Caller> Ask(const Origin& origin,
                             const std::string& certificate,
                             const std::vector<std::string>& authorization) {
    Credentials credentials;
    credentials.origin = origin;
    credentials.certificate = certificate;
    credentials.authorization = authorization;
    return authenticator_.Authenticate(credentials);
  }

  static void ExpectIs(const absl::StatusOr<Caller>& caller,
                       const std::string& user, bool is_admin, Proof proof) {
    ASSERT_TRUE(caller.ok()) << caller.status();
    EXPECT_EQ(caller->user, user);
    EXPECT_EQ(caller->is_admin, is_admin);
    EXPECT_EQ(caller->proof, proof);
  }
  static void ExpectRefused(const absl::StatusOr<Caller>& caller,
                            const std::string& why) {
    EXPECT_TRUE(absl::IsUnauthenticated(caller.status())) << caller.status();
    EXPECT_THAT(std::string(caller.status().message()), HasSubstr(why));
  }

  const Origin network_;
  const Origin trusted_{.is_trusted = true};
  TemporaryDirectory temporary_;
  std::unique_ptr<Database> database_ =
      *Database::Open(temporary_.path() / "moeprobe.db");
  UserStore store_{database_.get()};
  std::unique_ptr<UserDirectory> users_ = *UserDirectory::Open(&store_, [] {});
  Authenticator authenticator_{users_.get(),
                               {.uid = kServerUid, .user = "lab"}};
};

TEST_F(AuthenticatorTest, KnowsUsersByTheirTokens) {
  const std::string bob = AddUser("bob");
  const std::string alice = AddUser("alice", /*is_admin=*/true);
  ExpectIs(ByToken(bob), "bob", false, Proof::kToken);
  ExpectIs(ByToken(alice), "alice", true, Proof::kToken);
}

TEST_F(AuthenticatorTest, RefusesOtherTokens) {
  std::string token = AddUser("bob");
  ExpectRefused(ByToken(""), "does not know this token");
  ExpectRefused(ByToken("hunter2"), "does not know this token");
  token.back() = token.back() == '0' ? '1' : '0';
  ExpectRefused(ByToken(token), "moeprobe-server user add");
}

TEST_F(AuthenticatorTest, RefusesWhatIsNoBearerToken) {
  const std::string token = AddUser("bob");
  for (const std::vector<std::string>& authorization :
       {std::vector<std::string>{token},
        {absl::StrCat("bearer", token)},
        {absl::StrCat("Basic ", token)},
        {""},
        {absl::StrCat("Bearer ", token), absl::StrCat("Bearer ", token)}}) {
    ExpectRefused(Ask(network_, "", authorization), "authorization");
  }
}

TEST_F(AuthenticatorTest, RefusesTokensThatEnded) {
  const std::string revoked = AddUser("bob");
  ASSERT_TRUE(users_->Revoke("bob").ok());
  ExpectRefused(ByToken(revoked), "bob was revoked");
  const std::string expired =
      AddUser("eve", false, {.lifetime = absl::ZeroDuration()});
  ExpectRefused(ByToken(expired), "moeprobe-server user renew");
  const std::string replaced = AddUser("carol");
  ASSERT_TRUE(users_->Renew("carol", {}).ok());
  ExpectRefused(ByToken(replaced), "does not know this token");
}

TEST_F(AuthenticatorTest, TakesAWrongTokenForNothingElse) {
  ExpectRefused(ByToken("x", UnixSocket(0, "root")), "token");
  ExpectRefused(ByToken("x", trusted_), "token");
}

TEST_F(AuthenticatorTest, PutsATokenBeforeAllElse) {
  const std::string bob = AddUser("bob");
  ExpectIs(ByToken(bob, UnixSocket(0, "root")), "bob", false, Proof::kToken);
  ExpectIs(ByToken(bob, trusted_), "bob", false, Proof::kToken);
}

TEST_F(AuthenticatorTest, KnowsUsersByTheirCertificates) {
  AddUser("bob", true, {.with_token = false});
  ExpectIs(ByCertificate("bob"), "bob", true, Proof::kCertificate);
  ExpectRefused(ByCertificate("eve"), "\"eve\"");
  ASSERT_TRUE(users_->Revoke("bob").ok());
  ExpectRefused(ByCertificate("bob"), "revoked");
}

TEST_F(AuthenticatorTest, TrustsTheUserIdOfAPeer) {
  ExpectIs(ByOrigin(UnixSocket(7, "eve")), "eve", false, Proof::kPeer);
  ExpectIs(ByOrigin(UnixSocket(0, "root")), "root", true, Proof::kPeer);
  ExpectIs(ByOrigin(UnixSocket(kServerUid, "lab")), "lab", true, Proof::kPeer);
  // By the id, not by the name.
  ExpectIs(ByOrigin(UnixSocket(7, "lab")), "lab", false, Proof::kPeer);
  ExpectIs(ByOrigin(UnixSocket(7, "root")), "root", false, Proof::kPeer);
}

TEST_F(AuthenticatorTest, HoldsAPeerAgainstTheUsers) {
  AddUser("alice", true);
  ExpectIs(ByOrigin(UnixSocket(7, "alice")), "alice", true, Proof::kPeer);
  ASSERT_TRUE(users_->Revoke("alice").ok());
  ExpectRefused(ByOrigin(UnixSocket(7, "alice")), "revoked");
  AddUser("lab");
  ASSERT_TRUE(users_->Revoke("lab").ok());
  ExpectIs(ByOrigin(UnixSocket(kServerUid, "lab")), "lab", true, Proof::kPeer);
}

TEST_F(AuthenticatorTest, KnowsWhoeverReachesATrustedPortAsTheServersUser) {
  ExpectIs(ByOrigin(trusted_), "lab", false, Proof::kLoopback);
}

TEST_F(AuthenticatorTest, RefusesWhoBringsNothing) {
  ExpectRefused(ByOrigin(network_), "--token-file");
}

}  // namespace
}  // namespace moeprobe

#include "server/access/token.h"

#include <set>
#include <string>

#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/user_store.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

TEST(TokenTest, HasAnIdAnd256RandomBits) {
  const auto token = NewToken();
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_THAT(*token, MatchesRegex("mp_[0-9a-f]{16}_[0-9a-f]{64}"));
  EXPECT_EQ(TokenId(*token), token->substr(3, 16));
}

TEST(TokenTest, IsNeverTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(seen.insert(NewToken()->substr(0, 19)).second);
    EXPECT_TRUE(seen.insert(NewToken()->substr(20)).second);
  }
}

TEST(TokenTest, IsKeptAsADigestAlone) {
  const std::string token = *NewToken();
  const StoredToken stored = StoredFormOf(token);
  EXPECT_EQ(stored.sha256, Sha256Hex(token));
  EXPECT_THAT(stored.id + stored.sha256, Not(HasSubstr(token.substr(20))));
}

TEST(TokenTest, MatchesItselfAlone) {
  const std::string token = *NewToken();
  const StoredToken stored = StoredFormOf(token);
  EXPECT_TRUE(Matches(token, stored));
  std::string other = token;
  for (const size_t i : {size_t{20}, size_t{50}, token.size() - 1}) {
    other = token;
    other[i] = other[i] == '0' ? '1' : '0';
    EXPECT_FALSE(Matches(other, stored)) << i;
  }
  EXPECT_FALSE(Matches("", stored));
  EXPECT_FALSE(Matches(token, {.id = stored.id, .sha256 = ""}));
}

TEST(TokenTest, KnowsWhatIsNone) {
  const std::string token = *NewToken();
  EXPECT_FALSE(TokenId(""));
  EXPECT_FALSE(TokenId(token + "0"));
  EXPECT_FALSE(TokenId(token.substr(0, token.size() - 1)));
  EXPECT_FALSE(TokenId("MP" + token.substr(2)));
  EXPECT_FALSE(TokenId(token.substr(0, token.size() - 1) + "G"));
  EXPECT_FALSE(TokenId(token.substr(0, 19) + "-" + token.substr(20)));
}

}  // namespace
}  // namespace moeprobe

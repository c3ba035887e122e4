#include "server/near_name.h"

#include <string>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(NearNameTest, ForgivesSlipsAndLetterCase) {
  EXPECT_EQ(NearName("trained-mixtrl", {"trained-llama", "trained-mixtral"}),
            "trained-mixtral");
  EXPECT_EQ(NearName("MIXTRAL", {"mixtral"}), "mixtral");
  EXPECT_EQ(NearName("a", {"b"}), "b");
}

TEST(NearNameTest, KeepsQuietWhereNothingIsNear) {
  EXPECT_EQ(NearName("gpt", {"trained-mixtral", "qwen2"}), "");
  EXPECT_EQ(NearName("anything", {}), "");
}

TEST(NearNameTest, TakesNamesOfAnyLength) {
  EXPECT_EQ(NearName(std::string(1'000'000, 'x'), {"mixtral"}), "");
  EXPECT_EQ(NearName("", {"mixtral"}), "");
}

}  // namespace
}  // namespace moeprobe

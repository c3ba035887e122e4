#include "client/text/nearest_name.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

const std::vector<std::string>& Keys() {
  static const auto& keys = *new std::vector<std::string>{
      "text", "ids", "tokens", "sequence_length", "skip_first"};
  return keys;
}

TEST(NearestNameTest, FindsTheNameBehindATypingError) {
  EXPECT_EQ(NearestName("tokns", Keys()), "tokens");
  EXPECT_EQ(NearestName("tokesn", Keys()), "tokens");
  EXPECT_EQ(NearestName("Tokens", Keys()), "tokens");
  EXPECT_EQ(NearestName("sequence-length", Keys()), "sequence_length");
}

TEST(NearestNameTest, FindsNothingWhereNothingIsNear) {
  EXPECT_EQ(NearestName("learning_rate", Keys()), "");
  EXPECT_EQ(NearestName("", Keys()), "");
  EXPECT_EQ(NearestName(std::string(100000, 't'), Keys()), "");
}

}  // namespace
}  // namespace moeprobe

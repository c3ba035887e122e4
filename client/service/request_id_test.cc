#include "client/service/request_id.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(NewRequestIdTest, IsARandomUuid) {
  EXPECT_THAT(NewRequestId(),
              testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-"
                                    "[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(NewRequestId(), NewRequestId());
}

}  // namespace
}  // namespace moeprobe

#include "core/base/equal_depth.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(EqualDepthTest, IsTheSameLayerOfAModelAsDeep) {
  for (int64_t layer = 0; layer < 32; ++layer) {
    EXPECT_EQ(LayerAtEqualDepth(layer, 32, 32), layer);
  }
}

TEST(EqualDepthTest, KeepsFirstAndLast) {
  for (const int64_t count : {2, 3, 7, 24, 80}) {
    EXPECT_EQ(LayerAtEqualDepth(0, 32, count), 0);
    EXPECT_EQ(LayerAtEqualDepth(31, 32, count), count - 1);
  }
}

TEST(EqualDepthTest, RoundsToTheNearestLayer) {
  EXPECT_EQ(LayerAtEqualDepth(1, 3, 5), 2);
  EXPECT_EQ(LayerAtEqualDepth(1, 5, 3), 1);  // 0.5, halves up
  EXPECT_EQ(LayerAtEqualDepth(3, 32, 24), 2);
  EXPECT_EQ(LayerAtEqualDepth(16, 32, 24), 12);
}

TEST(EqualDepthTest, IsTheFirstOfAModelOfOneLayer) {
  EXPECT_EQ(LayerAtEqualDepth(0, 1, 5), 0);
  EXPECT_EQ(LayerAtEqualDepth(4, 5, 1), 0);
}

}  // namespace
}  // namespace moeprobe

#include "client/result/array_place.h"

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(ArrayPlaceTest, TakesANameApart) {
  EXPECT_EQ(PlaceOf("layer3/expert_count"),
            (ArrayPlace{.prefix = "", .layer = 3, .quantity = "expert_count"}));
  EXPECT_EQ(PlaceOf("sweep0/data1/baseline/layer12/pca/all/gap"),
            (ArrayPlace{.prefix = "sweep0/data1/baseline/",
                        .layer = 12,
                        .quantity = "pca/all/gap"}));
}

TEST(ArrayPlaceTest, IsNotMisledByVariantsThatAreCalledLayers) {
  EXPECT_EQ(PlaceOf("layer1/seed0/step5/layer0/grassmann/routed"),
            (ArrayPlace{.prefix = "layer1/seed0/step5/",
                        .layer = 0,
                        .quantity = "grassmann/routed"}));
}

TEST(ArrayPlaceTest, IsNoneWithoutALayer) {
  for (const char* name : {"nll", "", "layer", "layer3", "layerx/a", "a/b", "/",
                           "//", "/layer3"}) {
    EXPECT_FALSE(PlaceOf(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace moeprobe

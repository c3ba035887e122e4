#include "client/result/summary_place.h"

#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

v1::SummaryRow Row(const char* name, int layer, const char* quantity) {
  v1::SummaryRow row;
  row.set_name(name);
  row.set_layer(layer);
  row.set_quantity(quantity);
  return row;
}

TEST(PrefixOfTest, IsWhatStandsBeforeTheLayer) {
  EXPECT_EQ(PrefixOf(Row("layer3/stable_rank", 3, "stable_rank")), "");
  EXPECT_EQ(PrefixOf(Row("data1/baseline/layer3/pca/routed/components", 3,
                         "pca/routed/components/50")),
            "data1/baseline/");
  EXPECT_EQ(PrefixOf(Row("a/seed0/step5/loss", -1, "loss")), "a/seed0/step5/");
}

TEST(PrefixOfTest, IsNotMisledByVariantsThatAreCalledLayers) {
  EXPECT_EQ(PrefixOf(Row("layer0/seed0/step5/layer0/grassmann/routed", 0,
                         "grassmann/routed")),
            "layer0/seed0/step5/");
}

}  // namespace
}  // namespace moeprobe

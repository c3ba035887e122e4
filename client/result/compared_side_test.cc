#include "client/result/compared_side.h"

#include <string>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(ComparedSideTest, IsAJobOrAPartOrALayerOfIt) {
  const auto job = ParseComparedSide("17");
  EXPECT_EQ(job->job, "17");
  EXPECT_FALSE(job->part.has_value());
  EXPECT_FALSE(job->layer.has_value());
  const auto layer = ParseComparedSide("jobs/17@3");
  EXPECT_EQ(layer->job, "jobs/17");
  EXPECT_EQ(layer->layer, 3);
  const auto both = ParseComparedSide("17:data1/baseline@31");
  EXPECT_EQ(both->job, "17");
  EXPECT_EQ(both->part, "data1/baseline");
  EXPECT_EQ(both->layer, 31);
}

TEST(ComparedSideTest, IsNothingElse) {
  for (const char* text : {"", "@3", ":model", "17:", "17@", "17@x", "17@-1",
                           "17:model@3@4", "17:a:b", "17@9999999999"}) {
    EXPECT_FALSE(ParseComparedSide(text).ok()) << text;
  }
}

}  // namespace
}  // namespace moeprobe

#include "client/result/specification_text.h"

#include <cmath>
#include <string>
#include <vector>

#include "client/result/specification_curve.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

Outcome OutcomeOf(const std::string& reading, double mean, double null_mean) {
  Outcome outcome{.part = "model",
                  .settings = "",
                  .layer = 3,
                  .reading = reading,
                  .null = "random_router",
                  .mean = mean,
                  .drawn = {.mean = null_mean, .deviation = 0.5, .p = 0.01}};
  outcome.z = (mean - null_mean) / 0.5;
  return outcome;
}

std::vector<SpecificationCurve> Curves() {
  return {
      {.claim = "grassmann",
       .outcomes = {OutcomeOf("all_tokens", 1, 2), OutcomeOf("routed", 4, 2)}}};
}

TEST(SpecificationTextTest, ShowsEachOutcomeOnOneLine) {
  const std::string text = SpecificationText(Curves(), 120);
  EXPECT_THAT(text, AllOf(HasSubstr("grassmann\n"), HasSubstr("-2.0"),
                          HasSubstr("+4.0"),
                          HasSubstr("above its null in 1 of "
                                    "2, p <= 0.05 in 2\n")));
  // From z = -2 to 4 the zero is a third of the way.
  EXPECT_THAT(text, HasSubstr("\u25CF\u00B7\u00B7\u00B7\u00B7\u00B7\u00B7\u00B7"
                              "\u2502\u00B7"));
}

TEST(SpecificationTextTest, LeavesOutColumnsThatSayNothing) {
  EXPECT_THAT(SpecificationText(Curves(), 120), Not(HasSubstr("cell")));
  auto curves = Curves();
  curves[0].outcomes[0].settings = "top_k 2";
  EXPECT_THAT(SpecificationText(curves, 120),
              AllOf(HasSubstr("cell"), HasSubstr("top_k 2")));
}

TEST(SpecificationTextTest, ShowsAMissingScoreAsNone) {
  auto curves = Curves();
  for (Outcome& outcome : curves[0].outcomes) outcome.z = std::nan("");
  EXPECT_THAT(SpecificationText(curves, 120), Not(HasSubstr("nan")));
  EXPECT_THAT(SpecificationJson(curves).dump(), HasSubstr("\"z\":null"));
}

TEST(SpecificationTextTest, WritesJson) {
  const auto json = SpecificationJson(Curves());
  ASSERT_EQ(json.size(), 1);
  EXPECT_EQ(json[0]["claim"], "grassmann");
  EXPECT_EQ(json[0]["above"], 1);
  EXPECT_EQ(json[0]["outcomes"][1]["reading"], "routed");
  EXPECT_EQ(json[0]["outcomes"][1]["z"], 4);
  EXPECT_FALSE(json[0]["outcomes"][1].contains("interval"));
}

TEST(SpecificationTextTest, WritesCsv) {
  auto curves = Curves();
  curves[0].outcomes[0].low = 0.5;
  curves[0].outcomes[0].high = 1.5;
  EXPECT_EQ(SpecificationCsv(curves),
            "claim,reading,null,part,settings,layer,mean,interval_low,"
            "interval_high,null_mean,null_std,z,p\n"
            "grassmann,all_tokens,random_router,model,,3,1,0.5,1.5,2,0.5,-2,"
            "0.01\n"
            "grassmann,routed,random_router,model,,3,4,,,2,0.5,4,0.01\n");
}

}  // namespace
}  // namespace moeprobe

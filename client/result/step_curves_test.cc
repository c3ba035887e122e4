#include "client/result/step_curves.h"

#include <string>
#include <vector>

#include "client/testing/summary_rows.h"
#include "client/testing/training_cells.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

// Two variants over three steps, one of them with two seeds.
v1::Result Trained() {
  v1::Result result;
  const auto add = [&](const char* variant, int seed, int step, double mean) {
    v1::SummaryRow& row =
        AddRow(result, AddTrainingCell(result, variant, seed, step), 1,
               "grassmann/routed", mean);
    row.set_standard_deviation(0.25);
  };
  for (const int step : {0, 10, 20}) {
    add("top-2", 0, step, 1 + step / 10.0);
    add("top-2", 1, step, 2 + step / 10.0);
    add("soft", 0, step, 1.5);
  }
  return result;
}

TEST(StepCurvesTest, GoOverStepsByQuantityLayerAndVariant) {
  const std::vector<StepCurve> curves = StepCurves(Trained());
  ASSERT_EQ(curves.size(), 2);
  EXPECT_EQ(curves[0].column, "top-2");
  EXPECT_EQ(curves[0].layer, 1);
  EXPECT_THAT(curves[0].steps, testing::ElementsAre(0, 10, 20));
  EXPECT_EQ(curves[0].means[2].mean, 3.5);
  EXPECT_EQ(curves[1].column, "soft");
}

TEST(StepCurvesTest, AreNoneOfOtherJobs) {
  v1::Result result;
  AddRow(result, "", 0, "grassmann/routed", 1);
  EXPECT_TRUE(StepCurves(result).empty());
  EXPECT_EQ(StepCurvesText({}, 100), "");
}

TEST(StepCurvesTextTest, DrawsABlockAStep) {
  EXPECT_EQ(StepCurvesText(StepCurves(Trained()), 100),
            "Grassmann, routed, layer 1\n"
            "  variant    steps  first        last\n"
            "  top-2    0 to 20  1.500  ▁▅█  3.500\n"
            "  soft     0 to 20  1.500  ▁▁▁  1.500\n");
}

TEST(StepCurvesTextTest, KeepsLevelWhereNothingChanges) {
  v1::Result result;
  AddRow(result, AddTrainingCell(result, "a", 0, 5), 0, "stable_rank", 2);
  EXPECT_THAT(StepCurvesText(StepCurves(result), 100),
              HasSubstr("5 to 5  2.000  ▁  2.000"));
}

TEST(StepCurvesCsvTest, HasALineAStep) {
  EXPECT_THAT(StepCurvesCsv(StepCurves(Trained())),
              testing::StartsWith("quantity,layer,variant,step,mean,std\n"
                                  "grassmann/routed,1,top-2,0,1.5,0.7071"));
}

TEST(StepCurvesJsonTest, ListsCurves) {
  const auto json = StepCurvesJson(StepCurves(Trained()));
  ASSERT_EQ(json.size(), 2);
  EXPECT_EQ(json[1].dump(),
            R"({"quantity":"grassmann/routed","layer":1,"variant":"soft",)"
            R"("steps":[0,10,20],"mean":[1.5,1.5,1.5],)"
            R"("std":[0.25,0.25,0.25]})");
}

}  // namespace
}  // namespace moeprobe

#include "client/result/specification_curve.h"

#include <cmath>
#include <string>
#include <vector>

#include "client/testing/summary_rows.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

void SetRouterNull(v1::SummaryRow& row, double mean, double deviation) {
  row.set_null_mean(mean);
  row.set_null_standard_deviation(deviation);
  row.set_p_value(0.01);
}

TEST(SpecificationCurveTest, IsEmptyWithoutNulls) {
  v1::Result result;
  AddRow(result, "", 0, "grassmann/routed", 2);
  EXPECT_THAT(SpecificationCurves(result), IsEmpty());
}

TEST(SpecificationCurveTest, OrdersTheOutcomesOfAClaim) {
  v1::Result result;
  SetRouterNull(AddRow(result, "", 0, "grassmann/routed", 2), 1, 0.1);
  SetRouterNull(AddRow(result, "", 1, "grassmann/all_tokens", 2), 3, 0.5);
  v1::SummaryRow& both = AddRow(result, "", 2, "grassmann/routed", 2);
  SetRouterNull(both, 1.5, 0.1);
  both.set_random_weights_null_mean(2);
  both.set_random_weights_null_standard_deviation(0);
  const auto curves = SpecificationCurves(result);
  ASSERT_THAT(curves, SizeIs(1));
  EXPECT_EQ(curves[0].claim, "grassmann");
  ASSERT_THAT(curves[0].outcomes, SizeIs(4));
  EXPECT_THAT(curves[0].outcomes,
              ElementsAre(Field(&Outcome::reading, "all_tokens"),
                          Field(&Outcome::layer, 2), Field(&Outcome::layer, 0),
                          Field(&Outcome::null, "random_weights")));
  EXPECT_NEAR(curves[0].outcomes[0].z, -2, 1e-12);
  EXPECT_NEAR(curves[0].outcomes[2].z, 10, 1e-12);
  EXPECT_TRUE(std::isnan(curves[0].outcomes[3].z));
}

TEST(SpecificationCurveTest, ReadsWhatAQuantityClaims) {
  v1::Result result;
  SetRouterNull(AddRow(result, "", 0, "pca/routed/effective_rank", 2), 1, 1);
  SetRouterNull(AddRow(result, "", 0, "jacobian_cosine/gate", 2), 1, 1);
  const auto curves = SpecificationCurves(result);
  ASSERT_THAT(curves, SizeIs(2));
  EXPECT_EQ(curves[0].claim, "effective_rank");
  EXPECT_EQ(curves[0].outcomes[0].reading, "routed");
  EXPECT_EQ(curves[1].claim, "jacobian_cosine");
  EXPECT_EQ(curves[1].outcomes[0].reading, "gate");
}

TEST(SpecificationCurveTest, NamesTheCellOfASweep) {
  v1::Result result;
  v1::SweepCell& cell = *result.add_cells();
  cell.set_prefix("sweep0/");
  v1::SweepSetting& setting = *cell.add_settings();
  setting.set_field("routing.temperature");
  setting.set_value("0.5");
  SetRouterNull(AddRow(result, "sweep0/", 0, "grassmann/routed", 2), 1, 1);
  const auto curves = SpecificationCurves(result);
  ASSERT_THAT(curves, SizeIs(1));
  EXPECT_EQ(curves[0].outcomes[0].settings, "temperature 0.5");
}

}  // namespace
}  // namespace moeprobe

#include "client/result/training_rows.h"

#include <limits>
#include <string>

#include "client/testing/summary_rows.h"
#include "client/testing/training_cells.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"
#include "moeprobe/v1/training.pb.h"

namespace moeprobe {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST(TrainingPlaceOfTest, IsOfVariantSeedAndStep) {
  v1::Result result;
  AddTrainingCell(result, "top-2", 3, 20);
  AddTrainingCell(result, "top-2", 3, 20, "soft");
  const auto own = TrainingPlaceOf(result.cells(0));
  ASSERT_TRUE(own.has_value());
  EXPECT_EQ(own->column, "top-2");
  EXPECT_EQ(own->seed, 3);
  EXPECT_EQ(own->step, 20);
  EXPECT_EQ(TrainingPlaceOf(result.cells(1)).value_or(TrainingPlace()).column,
            "top-2 as soft");
}

TEST(TrainingPlaceOfTest, IsNoneForCellsOfASweep) {
  v1::SweepCell cell;
  v1::SweepSetting& setting = *cell.add_settings();
  setting.set_field("seed");
  setting.set_value("3");
  EXPECT_FALSE(TrainingPlaceOf(cell).has_value());
}

TEST(TrainedQuantitiesTest, AreTheLossesAndThoseOfModels) {
  const auto quantities = TrainedQuantities(v1::TrainSpec());
  EXPECT_EQ(quantities[0].name, "loss");
  EXPECT_EQ(quantities[1].name, "held_out_loss");
  EXPECT_THAT(quantities,
              Contains(Field(&TrainedQuantity::title, "Grassmann, routed")));
  EXPECT_THAT(
      quantities,
      Not(Contains(Field(&TrainedQuantity::name, "pca/routed/components"))));
}

TEST(TrainedQuantitiesTest, SayWhatALossIs) {
  v1::TrainSpec spec;
  EXPECT_EQ(TrainedQuantities(spec)[1].title, "Loss, held out, nats");
  v1::SyntheticData& data = *spec.mutable_data()->mutable_synthetic();
  data.set_objective(v1::LEARNING_OBJECTIVE_CLASSIFICATION);
  EXPECT_EQ(TrainedQuantities(spec)[1].title, "Loss, held out, nats");
  data.set_objective(v1::LEARNING_OBJECTIVE_REGRESSION);
  EXPECT_EQ(TrainedQuantities(spec)[1].title, "Loss, held out, squared error");
}

TEST(TrainingRowsTest, FindsRowsBySeed) {
  v1::Result result;
  for (const int seed : {1, 0}) {
    for (const int step : {0, 100}) {
      AddRow(result, AddTrainingCell(result, "soft", seed, step), 2,
             "grassmann/routed", seed + step);
    }
  }
  const TrainingRows rows(result);
  EXPECT_THAT(rows.columns(), ElementsAre("soft"));
  EXPECT_THAT(rows.Steps("soft"), ElementsAre(0, 100));
  EXPECT_EQ(rows.LastStep("soft"), 100);
  EXPECT_EQ(rows.LastStep("dense"), -1);
  EXPECT_EQ(rows.SeedCount("soft", 100), 2);
  EXPECT_THAT(rows.Layers("grassmann/routed"), ElementsAre(2));
  EXPECT_THAT(rows.Layers("stable_rank"), IsEmpty());
  const auto seeds = rows.Find("soft", 100, 2, "grassmann/routed");
  ASSERT_THAT(seeds, SizeIs(2));
  EXPECT_EQ(seeds.at(0)->mean(), 100);
  EXPECT_EQ(seeds.at(1)->mean(), 101);
  EXPECT_THAT(rows.Find("soft", 100, 1, "grassmann/routed"), IsEmpty());
}

TEST(TrainingRowsTest, KeepsVariantsInOrderAndThoseUnderOtherGatesLast) {
  v1::Result result;
  for (const char* variant : {"top-2", "dense"}) {
    AddRow(result, AddTrainingCell(result, variant, 0, 5), 0, "stable_rank", 1);
    AddRow(result, AddTrainingCell(result, variant, 0, 5, "soft"), 0,
           "stable_rank", 2);
  }
  AddTrainingCell(result, "soft", 0, 5);  // has come to nothing yet
  EXPECT_THAT(TrainingRows(result).columns(),
              ElementsAre("top-2", "dense", "top-2 as soft", "dense as soft"));
}

TEST(TrainingRowsTest, LeavesOutWhatIsNoNumber) {
  v1::Result result;
  AddRow(result, AddTrainingCell(result, "soft", 0, 5), 0, "stable_rank",
         std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(TrainingRows(result).columns(), IsEmpty());
}

}  // namespace
}  // namespace moeprobe

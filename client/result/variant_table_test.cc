#include "client/result/variant_table.h"

#include <string>

#include "client/testing/summary_rows.h"
#include "client/testing/training_cells.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
using testing::Not;

void AddLoss(v1::Result& result, const std::string& prefix, double loss) {
  v1::SummaryRow& row = *result.add_summary();
  row.set_name(prefix + "loss");
  row.set_layer(-1);
  row.set_quantity("loss");
  row.set_mean(loss);
  row.set_count(1);
}

void AddModel(v1::Result& result, const std::string& prefix, double loss,
              double distance) {
  AddLoss(result, prefix, loss);
  v1::SummaryRow& row = AddRow(result, prefix, 0, "grassmann/routed", distance);
  row.set_standard_deviation(0.5);
  row.set_null_mean(distance / 2);
  row.set_null_standard_deviation(0.25);
}

TEST(VariantTableTest, HasAColumnForEachVariantAtItsLastStep) {
  v1::Result result;
  AddLoss(result, AddTrainingCell(result, "dense", 0, 20), 3);
  AddLoss(result, AddTrainingCell(result, "dense", 1, 20), 3.5);
  AddModel(result, AddTrainingCell(result, "top-2", 0, 0), 9, 9);
  AddModel(result, AddTrainingCell(result, "top-2", 0, 20), 2, 2.5);
  AddModel(result, AddTrainingCell(result, "top-2", 1, 20), 3, 2);
  AddRow(result, AddTrainingCell(result, "top-2", 0, 20, "soft"), 0,
         "grassmann/routed", 0.5)
      .set_standard_deviation(0.125);
  EXPECT_EQ(
      VariantTable(result, 100),
      "                              dense          top-2  top-2 as soft\n"
      "Step                             20             20             20\n"
      "Seeds                             2              2              1\n"
      "Loss, training, nats  3.250 ± 0.354  2.500 ± 0.707              –\n"
      "Grassmann, routed\n"
      "  layer 0                         –  2.250 ± 0.354  0.500 ± 0.125\n"
      "    Random router                 –  1.125 ± 0.250              –\n");
}

TEST(VariantTableTest, ShowsTwoDigitsOfSmallDeviations) {
  v1::Result result;
  AddLoss(result, AddTrainingCell(result, "a", 0, 1), 2.0000);
  AddLoss(result, AddTrainingCell(result, "a", 1, 1), 2.0012);
  EXPECT_THAT(VariantTable(result, 100), HasSubstr("2.0006 ± 0.0008"));
}

TEST(VariantTableTest, IsEmptyWhereThereIsNothingToShow) {
  v1::Result result;
  AddTrainingCell(result, "soft", 0, 0);
  EXPECT_EQ(VariantTable(result, 100), "");
}

TEST(VariantTableTest, MakesNamesPrintable) {
  v1::Result result;
  AddLoss(result, AddTrainingCell(result, "a\x1B[2J", 0, 1), 2);
  EXPECT_THAT(VariantTable(result, 100), Not(HasSubstr("\x1B")));
}

}  // namespace
}  // namespace moeprobe

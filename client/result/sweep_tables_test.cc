#include "client/result/sweep_tables.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
using testing::Not;

v1::Result TwoCells() {
  v1::Result result;
  for (int i = 0; i < 2; ++i) {
    v1::SweepCell& cell = *result.add_cells();
    cell.set_prefix(absl::StrCat("sweep", i, "/"));
    v1::SweepSetting& setting = *cell.add_settings();
    setting.set_field("routing.temperature");
    setting.set_value(i == 0 ? "0.5" : "2.0");
  }
  return result;
}

void AddRow(const std::string& prefix, int layer, const std::string& quantity,
            double mean, v1::Result& result) {
  v1::SummaryRow& row = *result.add_summary();
  row.set_name(absl::StrCat(prefix, "layer", layer, "/", quantity));
  row.set_layer(layer);
  row.set_quantity(quantity);
  row.set_mean(mean);
  row.set_count(6);
}

TEST(SweepTablesTest, HaveARowForEachCellAndAColumnForEachLayer) {
  v1::Result result = TwoCells();
  AddRow("sweep0/", 2, "jacobian_cosine/routed", 0.25, result);
  AddRow("sweep0/", 16, "jacobian_cosine/routed", 0.5, result);
  AddRow("sweep1/", 2, "jacobian_cosine/routed", -0.125, result);
  v1::Provenance& part = *result.add_provenance();
  part.set_prefix("sweep1/");
  part.set_nll(3.25);
  EXPECT_EQ(SweepTables(result, 100),
            "Jacobian cosine, routed\n"
            "             \u2500\u2500 layer \u2500\u2500\u2500\u2500\n"
            "temperature       2     16\n"
            "        0.5   0.250  0.500\n"
            "        2.0  -0.125      \u2013\n"
            "\n"
            "Next-token loss, nats\n"
            "temperature   model\n"
            "        0.5       \u2013\n"
            "        2.0  3.2500\n");
}

TEST(SweepTablesTest, ShowABaselineWhereItChanges) {
  v1::Result result = TwoCells();
  for (const char* cell : {"sweep0/", "sweep1/"}) {
    AddRow(absl::StrCat(cell, "baseline/"), 0, "stable_rank", 3, result);
    AddRow(cell, 0, "stable_rank", 4, result);
  }
  EXPECT_THAT(SweepTables(result, 100), Not(HasSubstr("baseline")));
  AddRow("sweep1/baseline/", 1, "leading_singular_value", 3, result);
  AddRow("sweep0/baseline/", 1, "leading_singular_value", 4, result);
  EXPECT_THAT(SweepTables(result, 100), HasSubstr("baseline"));
}

TEST(SweepTablesTest, NameDataSets) {
  v1::Result result = TwoCells();
  AddRow("sweep0/data1/", 0, "stable_rank", 4, result);
  EXPECT_THAT(SweepTables(result, 100), HasSubstr("data1/ Stable rank, "));
}

TEST(SweepTablesTest, AreEmptyWhereThereIsNothingToShow) {
  EXPECT_EQ(SweepTables(TwoCells(), 100), "");
}

}  // namespace
}  // namespace moeprobe

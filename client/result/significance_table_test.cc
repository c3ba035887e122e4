#include "client/result/significance_table.h"

#include <string>

#include "client/testing/summary_rows.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
using testing::Not;

void SetInterval(v1::SummaryRow& row, double error) {
  row.set_standard_error(error);
  row.set_interval_low(row.mean() - 2 * error);
  row.set_interval_high(row.mean() + 2 * error);
}

void SetNull(v1::SummaryRow& row, double mean, double deviation, double p) {
  row.set_null_mean(mean);
  row.set_null_standard_deviation(deviation);
  row.set_p_value(p);
}

TEST(SignificanceTableTest, HasARowForEachLayerUnderItsQuantity) {
  v1::Result result;
  for (const int layer : {3, 16}) {
    v1::SummaryRow& row = AddRow(result, "", layer, "grassmann/routed", 2.75);
    SetInterval(row, 0.0125);
    SetNull(row, 2.7, 0.01, 0.01);
  }
  SetInterval(AddRow(result, "", 3, "pca/all/effective_rank", 76.1), 0.31);
  EXPECT_EQ(
      SignificanceTable(result, 100),
      "                                                  \u2500\u2500 Random "
      "router "
      "\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500\u2500"
      "\u2500\u2500\u2500\u2500\u2500\n"
      "                            mean   95 % interval           null  "
      "difference      p\n"
      "Grassmann, routed\n"
      "  layer 3                  2.750  [2.725, 2.775]  2.700 \u00B1 0.010  "
      "    +0.050  0.010\n"
      "  layer 16                 2.750  [2.725, 2.775]  2.700 \u00B1 0.010  "
      "    +0.050  0.010\n"
      "Effective rank, reference\n"
      "  layer 3                  76.10  [75.48, 76.72]              \u2013  "
      "         \u2013      \u2013\n");
}

TEST(SignificanceTableTest, IsEmptyWhereNothingWasDrawn) {
  v1::Result result;
  AddRow(result, "", 0, "grassmann/routed", 2);
  EXPECT_EQ(SignificanceTable(result, 100), "");
}

TEST(SignificanceTableTest, ShowsOnlyNullsThatWereDrawn) {
  v1::Result result;
  v1::SummaryRow& row = AddRow(result, "", 0, "grassmann/routed", 2);
  SetInterval(row, 0.1);
  EXPECT_THAT(SignificanceTable(result, 100), Not(HasSubstr("Random router")));
  row.set_permutation_null_mean(1);
  row.set_permutation_null_standard_deviation(0.1);
  row.set_permutation_p_value(0.0005);
  EXPECT_THAT(SignificanceTable(result, 100),
              testing::AllOf(
                  HasSubstr("Shuffled gates"), HasSubstr("1.000 \u00B1 0.100"),
                  HasSubstr("0.0005"), Not(HasSubstr("Random router"))));
}

TEST(SignificanceTableTest, ShowsWhatIsBelowItsNull) {
  v1::Result result;
  v1::SummaryRow& row = AddRow(result, "", 0, "jacobian_cosine/routed", 0.062);
  SetNull(row, 0.07, 0.002, 1);
  EXPECT_THAT(SignificanceTable(result, 100),
              testing::AllOf(HasSubstr("Jacobian cosine, routed"),
                             HasSubstr("-0.0080"), HasSubstr("1.000")));
}

TEST(SignificanceTableTest, HasATableForEachDataSet) {
  v1::Result result;
  for (const char* prefix : {"data0/", "data1/"}) {
    SetInterval(AddRow(result, prefix, 0, "grassmann/routed", 2), 0.1);
  }
  const std::string table = SignificanceTable(result, 100);
  EXPECT_THAT(table, testing::StartsWith("data0\n"));
  EXPECT_THAT(table, HasSubstr("\n\ndata1\n"));
}

}  // namespace
}  // namespace moeprobe

#include "client/result/means_table.h"

#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

struct Row {
  Row(const char* array_prefix, int row_layer, const char* row_quantity,
      double row_mean, double deviation, int row_count)
      : prefix(array_prefix),
        layer(row_layer),
        quantity(row_quantity),
        mean(row_mean),
        standard_deviation(deviation),
        count(row_count) {}

  const char* prefix;
  int layer;
  const char* quantity;
  double mean;
  double standard_deviation;
  int count;
};

v1::Result ResultOf(const std::vector<Row>& rows) {
  v1::Result result;
  for (const Row& from : rows) {
    v1::SummaryRow& row = *result.add_summary();
    row.set_name(std::string(from.prefix) + "layer" +
                 std::to_string(from.layer) + "/" + from.quantity);
    row.set_layer(from.layer);
    row.set_quantity(from.quantity);
    row.set_mean(from.mean);
    row.set_standard_deviation(from.standard_deviation);
    row.set_count(from.count);
  }
  return result;
}

TEST(MeansTableTest, LooksLikeThePapersTable) {
  const v1::Result result =
      ResultOf({{"", 3, "jacobian_cosine/routed", 0.0621, 0.0321, 28},
                {"", 3, "jacobian_cosine/all", 0.5, 0.25, 28},
                {"", 3, "grassmann/routed", 2.463, 0.11, 28},
                {"", 3, "pca/routed/effective_rank", 194.21, 8.12, 8},
                {"", 16, "jacobian_cosine/routed", -0.0005, 0, 28},
                {"baseline/", 3, "pca/all/effective_rank", 201.33, 0, 1}});
  EXPECT_EQ(
      MeansTable(result, 100),
      "       \u2500\u2500 Jacobian cosine \u2500\u2500\u2500\u2500\u2500"
      "\u2500\u2500\u2500\u2500\u2500  Grassmann      \u2500\u2500 Effective "
      "rank "
      "\u2500\u2500\u2500\n"
      "layer          routed            all         routed       routed  "
      "baseline\n"
      "    3   0.062 \u00B1 0.032  0.500 \u00B1 0.250  2.463 \u00B1 0.110  "
      "194.2 \u00B1 8.1     201.3\n"
      "   16  -0.001 \u00B1 0.000              \u2013              \u2013"
      "            \u2013         \u2013\n");
}

TEST(MeansTableTest, ShowsDigitsOfTinyNumbers) {
  EXPECT_THAT(
      MeansTable(ResultOf({{"", 0, "jacobian_cosine/all", 4e-4, 2e-5, 28}}),
                 80),
      testing::HasSubstr("0.000400 \u00B1 0.000020"));
}

TEST(MeansTableTest, LeavesOutWhatHasNoMean) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(MeansTable(ResultOf({{"", 0, "grassmann/routed", nan, nan, 0},
                                 {"", 0, "expert_count", 5, 1, 8}}),
                       80),
            "");
}

TEST(MeansTableTest, HasATableForEachDataSet) {
  const std::string table =
      MeansTable(ResultOf({{"data0/", 0, "grassmann/routed", 1, 0, 28},
                           {"data1/", 0, "grassmann/routed", 2, 0, 28}}),
                 80);
  EXPECT_THAT(table, testing::StartsWith("data0\n"));
  EXPECT_THAT(table, testing::HasSubstr("\n\ndata1\n"));
}

}  // namespace
}  // namespace moeprobe

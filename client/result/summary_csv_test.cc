#include "client/result/summary_csv.h"

#include <limits>
#include <string>

#include "client/testing/training_cells.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

void AddRow(v1::Result& result, const std::string& prefix, int layer,
            const std::string& quantity, double mean) {
  v1::SummaryRow& row = *result.add_summary();
  row.set_layer(layer);
  row.set_quantity(quantity);
  row.set_name(prefix +
               (layer < 0 ? "" : "layer" + std::to_string(layer) + "/") +
               quantity);
  row.set_mean(mean);
  row.set_standard_deviation(0.5);
  row.set_count(3);
}

constexpr const char* kHead =
    "part,layer,quantity,mean,std,count,se,interval_low,interval_high,"
    "null_mean,null_std,p,permutation_null_mean,permutation_null_std,"
    "permutation_p,random_weights_null_mean,random_weights_null_std,"
    "random_weights_p\n";

TEST(SummaryCsvTest, HasARowForEachLayerAndQuantity) {
  v1::Result result;
  AddRow(result, "", -1, "nll", 2);
  AddRow(result, "", 3, "grassmann/routed", 0.1);
  AddRow(result, "baseline/", 3, "pca/all/effective_rank", 1);
  AddRow(result, "data1/", 0, "gate_mean",
         std::numeric_limits<double>::quiet_NaN());
  AddRow(result, "data1/baseline/", 0, "gate_mean", 1);
  EXPECT_EQ(SummaryCsv(result),
            std::string(kHead) +
                "model,-1,nll,2,0.5,3,,,,,,,,,,,,\n"
                "model,3,grassmann/routed,0.1,0.5,3,,,,,,,,,,,,\n"
                "baseline,3,pca/all/effective_rank,1,0.5,3,,,,,,,,,,,,\n"
                "data1/model,0,gate_mean,nan,0.5,3,,,,,,,,,,,,\n"
                "data1/baseline,0,gate_mean,1,0.5,3,,,,,,,,,,,,\n");
}

TEST(SummaryCsvTest, DisarmsFormulasAndQuotes) {
  v1::Result result;
  AddRow(result, "", 0, "=cmd|' /C calc'!A0", 1);
  AddRow(result, "", 0, "a,\"b\"", 1);
  AddRow(result, "", 0, "-1+2", 1);
  EXPECT_EQ(SummaryCsv(result),
            std::string(kHead) +
                "model,0,'=cmd|' /C calc'!A0,1,0.5,3,,,,,,,,,,,,\n"
                "model,0,\"a,\"\"b\"\"\",1,0.5,3,,,,,,,,,,,,\n"
                "model,0,'-1+2,1,0.5,3,,,,,,,,,,,,\n");
}

TEST(SummaryCsvTest, SaysHowFarAMeanCanBeTrusted) {
  v1::Result result;
  AddRow(result, "", 0, "grassmann/routed", 2);
  v1::SummaryRow& row = *result.mutable_summary(0);
  row.set_standard_error(0.25);
  row.set_interval_low(1.5);
  row.set_interval_high(2.5);
  row.set_null_mean(1);
  row.set_null_standard_deviation(0.125);
  row.set_p_value(0.01);
  row.set_random_weights_null_mean(3);
  row.set_random_weights_null_standard_deviation(0.25);
  row.set_random_weights_p_value(1);
  EXPECT_EQ(SummaryCsv(result),
            std::string(kHead) +
                "model,0,grassmann/routed,2,0.5,3,0.25,1.5,2.5,1,0.125,0.01,,,"
                ",3,0.25,1\n");
}

TEST(SummaryCsvTest, HasColumnsForSettingsThatSomeCellsHave) {
  v1::Result result;
  for (const char* gates : {"", "top-2"}) {
    const std::string prefix = AddTrainingCell(result, "soft", 4, 20, gates);
    AddRow(result, prefix, 0, "stable_rank", 2);
  }
  const std::string csv = SummaryCsv(result);
  EXPECT_THAT(csv, testing::HasSubstr(",variant,seed,step,gates\n"));
  EXPECT_THAT(csv, testing::HasSubstr(",soft,4,20,own\n"));
  EXPECT_THAT(csv, testing::HasSubstr(",soft,4,20,top-2\n"));
}

}  // namespace
}  // namespace moeprobe

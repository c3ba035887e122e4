#include "client/result/comparison.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/result/comparison_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

void AddPart(ComparedResult& side, const std::string& prefix,
             const std::string& data, int layer_count) {
  v1::Provenance& provenance = *side.result.add_provenance();
  provenance.set_prefix(prefix);
  provenance.set_data_fingerprint(data);
  provenance.set_layer_count(layer_count);
}

void AddMean(ComparedResult& side, const std::string& prefix, int layer,
             const std::string& quantity, double mean,
             std::vector<double> draws = {}) {
  v1::SummaryRow& row = *side.result.add_summary();
  row.set_name(absl::StrCat(prefix, "layer", layer, "/", quantity));
  row.set_layer(layer);
  row.set_quantity(quantity);
  row.set_mean(mean);
  row.set_count(28);
  const std::string name = row.name() + "/bootstrap_draws";
  if (draws.empty()) return;
  side.result.add_arrays()->set_name(name);
  side.draws[name] = std::move(draws);
}

// A model of `layer_count` layers, each with a mean of 1 + its number.
ComparedResult Model(const std::string& data, int layer_count) {
  ComparedResult side;
  AddPart(side, "", data, layer_count);
  for (int layer = 0; layer < layer_count; ++layer) {
    AddMean(side, "", layer, "x", layer + 1.0, {0.0, 1.0 * layer, 5.0});
  }
  return side;
}

TEST(ComparisonTest, PairsDrawsOfTheSameWindows) {
  const auto means = CompareResults(Model("d", 2), Model("d", 2));
  ASSERT_TRUE(means.ok());
  ASSERT_THAT(*means, SizeIs(2));
  EXPECT_EQ((*means)[1].difference.value, 0);
  EXPECT_EQ((*means)[1].difference.low, 0);
  EXPECT_TRUE((*means)[1].difference.paired);
}

TEST(ComparisonTest, TakesOtherWindowsOrSeedsForIndependent) {
  EXPECT_FALSE(
      CompareResults(Model("d", 1), Model("e", 1))->front().difference.paired);
  ComparedResult other_seed = Model("d", 1);
  other_seed.result.mutable_job()->mutable_analyze()->set_seed(1);
  EXPECT_FALSE(
      CompareResults(Model("d", 1), other_seed)->front().difference.paired);
}

TEST(ComparisonTest, AlignsLayersAtEqualDepth) {
  const auto means = CompareResults(Model("d", 3), Model("d", 5));
  ASSERT_THAT(*means, SizeIs(3));
  EXPECT_EQ((*means)[1].a.layer(), 1);
  EXPECT_EQ((*means)[1].b.layer(), 2);
  EXPECT_EQ((*means)[2].b.layer(), 4);
}

TEST(ComparisonTest, ComparesTwoLayersOfOneJob) {
  ComparedResult a = Model("d", 4);
  ComparedResult b = a;
  a.layer = 1;
  b.layer = 3;
  const auto means = CompareResults(a, b);
  ASSERT_THAT(*means, SizeIs(1));
  EXPECT_EQ(means->front().difference.value, 2);
  EXPECT_TRUE(means->front().difference.paired);
}

TEST(ComparisonTest, ComparesTwoPartsOfOneJob) {
  ComparedResult a;
  AddPart(a, "data0/", "d", 2);
  AddPart(a, "data1/", "e", 2);
  AddMean(a, "data0/", 1, "x", 1, {1, 2});
  AddMean(a, "data1/", 1, "x", 4, {1, 2});
  ComparedResult b = a;
  a.part = "data0/model";
  b.part = "data1/model";
  const auto means = CompareResults(a, b);
  ASSERT_THAT(*means, SizeIs(1));
  EXPECT_EQ(means->front().difference.value, 3);
  EXPECT_FALSE(means->front().difference.paired);
}

TEST(ComparisonTest, RefusesSidesOfDifferentKinds) {
  ComparedResult layer = Model("d", 2);
  layer.layer = 1;
  EXPECT_THAT(CompareResults(layer, Model("d", 2)).status().message(),
              HasSubstr("names a layer"));
  ComparedResult part = Model("d", 2);
  part.part = "model";
  EXPECT_THAT(CompareResults(Model("d", 2), part).status().message(),
              HasSubstr("names a part"));
  part.part = "data7/model";
  EXPECT_THAT(CompareResults(part, part).status().message(),
              HasSubstr("no quantity in common"));
}

TEST(ComparisonTest, KnowsTheArraysOfDraws) {
  EXPECT_THAT(ArraysOfDraws(Model("d", 3).result), SizeIs(3));
}

TEST(ComparisonTableTest, HasARowForEachLayerUnderItsQuantity) {
  ComparedResult a = Model("d", 2);
  ComparedResult b = Model("e", 2);
  AddMean(a, "baseline/", 0, "y", 10.25);
  AddMean(b, "baseline/", 0, "y", 10);
  const std::string table = ComparisonTable(*CompareResults(a, b), 100);
  EXPECT_THAT(table, HasSubstr("b - a"));
  EXPECT_THAT(table, HasSubstr("\nx\n  layer 0"));
  EXPECT_THAT(table, HasSubstr("  layer 1"));
  EXPECT_THAT(table, HasSubstr("\nbaseline: y\n"));
  EXPECT_THAT(table, HasSubstr("-0.2"));
}

TEST(ComparisonJsonTest, SaysWhatWasComparedAndHow) {
  const auto means = CompareResults(Model("d", 1), Model("d", 1));
  const auto json = ComparisonJson(*means);
  EXPECT_EQ(json[0]["quantity"], "x");
  EXPECT_EQ(json[0]["a"]["mean"], 1);
  EXPECT_EQ(json[0]["b"]["part"], "model");
  EXPECT_EQ(json[0]["interval"].dump(), "[0.0,0.0]");
  EXPECT_EQ(json[0]["same_windows"], true);
}

TEST(ComparisonCsvTest, HasALineForEachMean) {
  EXPECT_EQ(ComparisonCsv(*CompareResults(Model("d", 1), Model("d", 1))),
            "quantity,part_a,layer_a,part_b,layer_b,a,b,difference,"
            "interval_low,interval_high,p,same_windows\n"
            "x,model,0,model,0,1,1,0,0,0,1,true\n");
}

}  // namespace
}  // namespace moeprobe

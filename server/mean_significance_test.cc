#include "server/mean_significance.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/base/npy.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

Array MakeArray(const std::vector<double>& numbers) {
  Array array{.type = DataType::kFloat64, .shape = {}, .bytes = {}};
  if (numbers.size() > 1) {
    array.shape = {static_cast<int64_t>(numbers.size())};
  }
  array.bytes.resize(numbers.size() * sizeof(double));
  std::memcpy(array.bytes.data(), numbers.data(), array.bytes.size());
  return array;
}

TEST(MeanSignificanceTest, KnowsTheArrayItIsAbout) {
  EXPECT_EQ(ArrayOfMean("layer3/grassmann/routed/interval"),
            "layer3/grassmann/routed");
  EXPECT_EQ(ArrayOfMean("jacobian_cosine/all/se"), "jacobian_cosine/all");
  EXPECT_EQ(ArrayOfMean("pca/routed/effective_rank/p"),
            "pca/routed/effective_rank");
  EXPECT_EQ(ArrayOfMean("x/permutation_null_mean"), "x");
  EXPECT_EQ(ArrayOfMean("x/random_weights_null_draws"), "x");
  EXPECT_EQ(ArrayOfMean("x/bootstrap_draws"), "x");
  EXPECT_EQ(ArrayOfMean("x/null_draws"), "x");
}

TEST(MeanSignificanceTest, LeavesOtherArraysAlone) {
  for (const char* name : {"grassmann/routed", "se", "p", "", "x/se/y",
                           "grassmann/routed/split_half_within"}) {
    EXPECT_FALSE(ArrayOfMean(name).has_value()) << name;
  }
}

TEST(MeanSignificanceTest, GivesARowItsNumbers) {
  v1::SummaryRow row;
  AddSignificance("x/se", MakeArray({0.5}), row);
  AddSignificance("x/interval", MakeArray({1, 2}), row);
  AddSignificance("x/null_mean", MakeArray({3}), row);
  AddSignificance("x/null_std", MakeArray({4}), row);
  AddSignificance("x/p", MakeArray({0.01}), row);
  EXPECT_EQ(row.standard_error(), 0.5);
  EXPECT_EQ(row.interval_low(), 1);
  EXPECT_EQ(row.interval_high(), 2);
  EXPECT_EQ(row.null_mean(), 3);
  EXPECT_EQ(row.null_standard_deviation(), 4);
  EXPECT_EQ(row.p_value(), 0.01);
  EXPECT_FALSE(row.has_permutation_p_value());
  AddSignificance("x/permutation_p", MakeArray({0.2}), row);
  AddSignificance("x/permutation_null_mean", MakeArray({5}), row);
  AddSignificance("x/permutation_null_std", MakeArray({6}), row);
  AddSignificance("x/random_weights_p", MakeArray({0.4}), row);
  EXPECT_EQ(row.random_weights_p_value(), 0.4);
  EXPECT_EQ(row.permutation_p_value(), 0.2);
  EXPECT_EQ(row.permutation_null_mean(), 5);
  EXPECT_EQ(row.permutation_null_standard_deviation(), 6);
  EXPECT_EQ(row.null_mean(), 3);
}

TEST(MeanSignificanceTest, GivesNothingWhereThereIsNoNumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  v1::SummaryRow row;
  AddSignificance("x/se", MakeArray({nan}), row);
  AddSignificance("x/interval", MakeArray({nan, 1}), row);
  AddSignificance("x/bootstrap_draws", MakeArray({1, 2, 3}), row);
  EXPECT_FALSE(row.has_standard_error());
  EXPECT_FALSE(row.has_interval_low());
  EXPECT_TRUE(row.has_interval_high());
}

}  // namespace
}  // namespace moeprobe

#include "client/result/seed_means.h"

#include <cmath>
#include <optional>

#include "client/result/training_rows.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

v1::SummaryRow Row(double mean, double null) {
  v1::SummaryRow row;
  row.set_mean(mean);
  row.set_standard_deviation(0.25);
  row.set_count(28);
  row.set_null_mean(null);
  row.set_null_standard_deviation(0.125);
  return row;
}

TEST(MeanOverSeedsTest, HasTheSampleDeviation) {
  const v1::SummaryRow a = Row(1, 5);
  const v1::SummaryRow b = Row(2, 5);
  const v1::SummaryRow c = Row(6, 8);
  const TrainingRows::Seeds seeds = {{0, &a}, {1, &b}, {2, &c}};
  const SeedMean mean = MeanOverSeeds(seeds).value_or(SeedMean());
  EXPECT_EQ(mean.mean, 3);
  EXPECT_NEAR(mean.deviation.value_or(0), std::sqrt(7), 1e-15);  // eps
  const SeedMean null = NullOverSeeds(seeds, 0).value_or(SeedMean());
  EXPECT_EQ(null.mean, 6);
  EXPECT_EQ(null.deviation, 0.125);  // of draws: they do not vary with seeds
}

TEST(MeanOverSeedsTest, HasTheDeviationOverPairsWithOneSeed) {
  v1::SummaryRow row = Row(1, 5);
  const TrainingRows::Seeds seeds = {{7, &row}};
  const auto deviation = [](const std::optional<SeedMean>& mean) {
    return mean.value_or(SeedMean()).deviation;
  };
  EXPECT_EQ(deviation(MeanOverSeeds(seeds)), 0.25);
  EXPECT_EQ(deviation(NullOverSeeds(seeds, 0)), 0.125);
  row.set_count(1);
  EXPECT_EQ(deviation(MeanOverSeeds(seeds)), std::nullopt);
}

TEST(MeanOverSeedsTest, IsNoneWithoutNumbers) {
  EXPECT_FALSE(MeanOverSeeds({}).has_value());
  const v1::SummaryRow row = Row(1, 5);
  EXPECT_FALSE(NullOverSeeds({{0, &row}}, 2).has_value());
}

}  // namespace
}  // namespace moeprobe

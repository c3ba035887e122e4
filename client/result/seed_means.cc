#include "client/result/seed_means.h"

#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <vector>

#include "client/result/row_nulls.h"
#include "client/result/training_rows.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

SeedMean OverSeeds(const std::vector<double>& numbers) {
  const auto count = static_cast<double>(numbers.size());
  const double mean =
      std::accumulate(numbers.begin(), numbers.end(), 0.0) / count;
  double squares = 0;
  for (const double number : numbers) {
    squares += (number - mean) * (number - mean);
  }
  return {.mean = mean, .deviation = std::sqrt(squares / (count - 1))};
}

}  // namespace

std::optional<SeedMean> MeanOverSeeds(const TrainingRows::Seeds& seeds) {
  if (seeds.empty()) return std::nullopt;
  if (seeds.size() == 1) {
    const v1::SummaryRow& row = *seeds.begin()->second;
    SeedMean mean{.mean = row.mean()};
    if (row.count() > 1) mean.deviation = row.standard_deviation();
    return mean;
  }
  std::vector<double> means;
  means.reserve(seeds.size());
  for (const auto& [seed, row] : seeds) means.push_back(row->mean());
  return OverSeeds(means);
}

std::optional<SeedMean> NullOverSeeds(const TrainingRows::Seeds& seeds,
                                      size_t i) {
  double means = 0;
  double variances = 0;
  int count = 0;
  for (const auto& [seed, row] : seeds) {
    const std::optional<RowNull> null = NullOf(*row, i);
    if (!null) continue;
    means += null->mean;
    variances += null->deviation * null->deviation;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return SeedMean{.mean = means / count,
                  .deviation = std::sqrt(variances / count)};
}

}  // namespace moeprobe

#include "core/geometry/rank_correlation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kFewest = 3;  // of two points any two lists agree or disagree

double Mean(const std::vector<double>& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0) /
         static_cast<double>(numbers.size());
}

// NaN where either list is constant.
double Correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double mean_a = Mean(a);
  const double mean_b = Mean(b);
  double covariance = 0;
  double variance_a = 0;
  double variance_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    covariance += (a[i] - mean_a) * (b[i] - mean_b);
    variance_a += (a[i] - mean_a) * (a[i] - mean_a);
    variance_b += (b[i] - mean_b) * (b[i] - mean_b);
  }
  if (variance_a == 0 || variance_b == 0) return kNaN;
  return std::clamp(covariance / std::sqrt(variance_a * variance_b), -1.0, 1.0);
}

}  // namespace

std::vector<double> MidRanks(std::span<const double> numbers) {
  std::vector<double> sorted;
  std::ranges::copy_if(numbers, std::back_inserter(sorted),
                       [](double number) { return !std::isnan(number); });
  std::ranges::sort(sorted);
  std::vector<double> ranks;
  ranks.reserve(numbers.size());
  for (const double number : numbers) {
    if (std::isnan(number)) {
      ranks.push_back(kNaN);
      continue;
    }
    const auto equal = std::ranges::equal_range(sorted, number);
    const auto before = static_cast<double>(equal.begin() - sorted.begin());
    ranks.push_back(before +
                    static_cast<double>(std::ranges::ssize(equal) + 1) / 2);
  }
  return ranks;
}

double RankCorrelation(std::span<const double> a, std::span<const double> b) {
  std::vector<double> some_a;
  std::vector<double> some_b;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) || std::isnan(b[i])) continue;
    some_a.push_back(a[i]);
    some_b.push_back(b[i]);
  }
  if (some_a.size() < kFewest) return kNaN;
  return Correlation(MidRanks(some_a), MidRanks(some_b));
}

}  // namespace moeprobe

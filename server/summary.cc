#include "server/summary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "core/base/array_entries.h"
#include "core/base/npy.h"
#include "server/mean_significance.h"
#include "storage/published_layer.h"

namespace moeprobe {
namespace {

// Arrays that are neither per expert nor per pair of experts, or whose mean
// depends on nothing but the number of tokens.
constexpr std::array kWithoutMean = {
    "coactivation",    "repeat_rate",      "margin_histogram",
    "margin_edges",    "eigenvalues",      "components",
    "basis",           "singular_values",  "principal_angles",
    "variance_shares", "redundancy_pairs", "redundancy_scores",
    "intervention",    "training/"};

bool HasMean(const std::string& quantity) {
  return std::ranges::none_of(kWithoutMean, [&](const char* name) {
    return absl::StrContains(quantity, name);
  });
}

std::vector<double> PairsOf(const std::vector<double>& matrix, int64_t size) {
  std::vector<double> pairs;
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = i + 1; j < size; ++j) {
      pairs.push_back(matrix[static_cast<size_t>(i * size + j)]);
    }
  }
  return pairs;
}

}  // namespace

ArraySummary SummaryOf(std::vector<double> numbers) {
  std::erase_if(numbers, [](double number) { return std::isnan(number); });
  ArraySummary summary{.count = static_cast<int64_t>(numbers.size())};
  const auto count = static_cast<double>(numbers.size());
  if (numbers.empty()) {
    summary.mean = summary.deviation = std::numeric_limits<double>::quiet_NaN();
    return summary;
  }
  for (const double number : numbers) summary.mean += number / count;
  double variance = 0;
  for (const double number : numbers) {
    variance += (number - summary.mean) * (number - summary.mean) / count;
  }
  summary.deviation = std::sqrt(variance);
  return summary;
}

std::optional<ArraySummary> Summarize(const std::string& quantity,
                                      const Array& array) {
  const std::vector<int64_t>& shape = array.shape;
  if (!HasMean(quantity) || ArrayOfMean(quantity) || shape.size() > 2) {
    return std::nullopt;
  }
  if (shape.size() < 2) return SummaryOf(NumbersOf(array));
  if (shape[0] != shape[1] || shape[0] < 2) return std::nullopt;
  return SummaryOf(PairsOf(NumbersOf(array), shape[0]));
}

}  // namespace moeprobe

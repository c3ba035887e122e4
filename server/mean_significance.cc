#include "server/mean_significance.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "core/base/array_entries.h"
#include "core/base/npy.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

using v1::SummaryRow;

// What one entry of an array means for a row.
struct Meaning {
  const char* suffix;  // of the array's name
  size_t entry;
  void (SummaryRow::*set)(double);
};
// NOLINTBEGIN(modernize-use-designated-initializers): rows of a table.
constexpr std::array<Meaning, 12> kMeanings = {
    {{"/se", 0, &SummaryRow::set_standard_error},
     {"/interval", 0, &SummaryRow::set_interval_low},
     {"/interval", 1, &SummaryRow::set_interval_high},
     {"/null_mean", 0, &SummaryRow::set_null_mean},
     {"/null_std", 0, &SummaryRow::set_null_standard_deviation},
     {"/p", 0, &SummaryRow::set_p_value},
     {"/permutation_null_mean", 0, &SummaryRow::set_permutation_null_mean},
     {"/permutation_null_std", 0,
      &SummaryRow::set_permutation_null_standard_deviation},
     {"/permutation_p", 0, &SummaryRow::set_permutation_p_value},
     {"/random_weights_null_mean", 0,
      &SummaryRow::set_random_weights_null_mean},
     {"/random_weights_null_std", 0,
      &SummaryRow::set_random_weights_null_standard_deviation},
     {"/random_weights_p", 0, &SummaryRow::set_random_weights_p_value}}};
// NOLINTEND(modernize-use-designated-initializers)

constexpr std::array kDraws = {"/bootstrap_draws", "/null_draws",
                               "/permutation_null_draws",
                               "/random_weights_null_draws"};

}  // namespace

std::optional<std::string> ArrayOfMean(const std::string& name) {
  const std::string suffix =
      name.substr(std::min(name.rfind('/'), name.size()));
  const bool says = std::ranges::any_of(
      kMeanings, [&](const Meaning& m) { return suffix == m.suffix; });
  const bool draws = std::ranges::any_of(
      kDraws, [&](const char* draw) { return suffix == draw; });
  if (!says && !draws) return std::nullopt;
  return name.substr(0, name.size() - suffix.size());
}

void AddSignificance(const std::string& name, const Array& array,
                     v1::SummaryRow& row) {
  const std::vector<double> numbers = NumbersOf(array);
  for (const Meaning& meaning : kMeanings) {
    const bool said = absl::EndsWith(name, meaning.suffix) &&
                      meaning.entry < numbers.size() &&
                      std::isfinite(numbers[meaning.entry]);
    if (said) (row.*meaning.set)(numbers[meaning.entry]);
  }
}

}  // namespace moeprobe

#include "server/summary_rows.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/array_entries.h"
#include "core/base/npy.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"
#include "server/array_messages.h"
#include "server/mean_significance.h"
#include "server/summary.h"
#include "storage/published_layer.h"
#include "storage/result_store.h"

namespace moeprobe {
namespace {

// Shares of the variance, in percent, that an array of components counts for.
constexpr std::array kShares = {50, 80, 90, 95};

v1::SummaryRow& AddRow(const JobArray& array, const ArraySummary& summary,
                       v1::Result& result) {
  v1::SummaryRow& row = *result.add_summary();
  row.set_name(array.prefix + array.array.name);
  row.set_layer(static_cast<int32_t>(array.layer));
  row.set_quantity(QuantityOf(array.array.name, array.layer));
  row.set_mean(summary.mean);
  row.set_standard_deviation(summary.deviation);
  row.set_count(summary.count);
  return row;
}

bool IsComponents(const JobArray& array) {
  return absl::EndsWith(array.array.name, "/components") &&
         array.array.shape.size() == 2 &&
         array.array.shape[1] == int64_t{kShares.size()};
}

// An array whose bytes cannot be read has no rows: who reads it is told why.
void AddComponents(const JobArray& array, v1::Result& result) {
  if (!array.npy) return;
  const auto counts = DecodeNpy(*array.npy);
  if (!counts.ok()) return;
  const std::vector<double> numbers = NumbersOf(*counts);
  for (size_t share = 0; share < kShares.size(); ++share) {
    std::vector<double> column;
    for (size_t i = share; i < numbers.size(); i += kShares.size()) {
      if (numbers[i] >= 0) column.push_back(numbers[i]);  // -1: not computed
    }
    v1::SummaryRow& row = AddRow(array, SummaryOf(std::move(column)), result);
    row.set_quantity(absl::StrCat(row.quantity(), "/", kShares.at(share)));
  }
}

using RowsByArray = std::map<std::pair<int, std::string>, v1::SummaryRow*>;

void AddSignificanceOf(const JobArray& array, const RowsByArray& rows) {
  const auto base = ArrayOfMean(array.array.name);
  if (!base || !array.npy) return;
  const auto row = rows.find({array.part, *base});
  const auto numbers = DecodeNpy(*array.npy);
  if (row == rows.end() || !numbers.ok()) return;
  AddSignificance(array.array.name, *numbers, *row->second);
}

}  // namespace

void AddSummary(const std::vector<JobArray>& arrays, v1::Result& result) {
  RowsByArray rows;
  for (const JobArray& array : arrays) {
    if (IsComponents(array)) AddComponents(array, result);
    if (!array.array.summary) continue;
    rows[{array.part, array.array.name}] =
        &AddRow(array, *array.array.summary, result);
  }
  for (const JobArray& array : arrays) AddSignificanceOf(array, rows);
}

}  // namespace moeprobe

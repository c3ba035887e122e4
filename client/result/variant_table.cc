#include "client/result/variant_table.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/result/decimals.h"
#include "client/result/row_nulls.h"
#include "client/result/seed_means.h"
#include "client/result/training_rows.h"
#include "client/text/table.h"
#include "core/base/printable.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

using Line = std::vector<std::string>;

// Numbers of one line of the table, one a column.
struct Numbers {
  std::string title;
  std::vector<std::optional<SeedMean>> columns;
};

// The lines of one quantity.
using Lines = std::vector<Numbers>;

bool IsEmpty(const Numbers& numbers) {
  return std::ranges::none_of(
      numbers.columns, [](const auto& mean) { return mean.has_value(); });
}

Numbers NumbersOf(
    const TrainingRows& rows, int layer, const std::string& quantity,
    std::string title,
    const std::function<std::optional<SeedMean>(const TrainingRows::Seeds&)>&
        mean) {
  Numbers numbers{.title = std::move(title), .columns = {}};
  for (const std::string& column : rows.columns()) {
    numbers.columns.push_back(
        mean(rows.Find(column, rows.LastStep(column), layer, quantity)));
  }
  return numbers;
}

// The line of a layer, and those of its nulls.
void AddLayer(const TrainingRows& rows, int layer, const std::string& quantity,
              const std::string& title, Lines& lines) {
  Numbers means = NumbersOf(rows, layer, quantity, title, MeanOverSeeds);
  if (IsEmpty(means)) return;
  lines.push_back(std::move(means));
  for (size_t i = 0; i < NullNames().size(); ++i) {
    Numbers nulls = NumbersOf(rows, layer, quantity,
                              absl::StrCat("    ", NullNames()[i].title),
                              [i](const TrainingRows::Seeds& seeds) {
                                return NullOverSeeds(seeds, i);
                              });
    if (!IsEmpty(nulls)) lines.push_back(std::move(nulls));
  }
}

Lines LinesOf(const TrainingRows& rows, const TrainedQuantity& quantity) {
  Lines lines;
  for (const int layer : rows.Layers(quantity.name)) {
    AddLayer(rows, layer, quantity.name,
             layer < 0 ? quantity.title : absl::StrCat("  layer ", layer),
             lines);
  }
  return lines;
}

// As many as the largest number has, or two digits of the least deviation.
int Decimals(const Lines& lines) {
  double largest = 0;
  double least = std::numeric_limits<double>::infinity();
  for (const Numbers& numbers : lines) {
    for (const std::optional<SeedMean>& mean : numbers.columns) {
      if (!mean) continue;
      largest = std::max(largest, std::abs(mean->mean));
      const double deviation = mean->deviation.value_or(0);
      if (deviation > 0) least = std::min(least, deviation);
    }
  }
  return std::min(DecimalsUpTo(largest, least), DecimalsUpTo(largest) + 1);
}

std::string Cell(const std::optional<SeedMean>& mean, int decimals) {
  if (!mean) return kAbsent;
  std::string text = absl::StrFormat("%.*f", decimals, mean->mean);
  if (mean->deviation) {
    absl::StrAppend(&text, " \u00B1 ",
                    absl::StrFormat("%.*f", decimals, *mean->deviation));
  }
  return text;
}

void AddQuantity(const TrainingRows& rows, const TrainedQuantity& quantity,
                 std::vector<Line>& table) {
  const Lines lines = LinesOf(rows, quantity);
  if (lines.empty()) return;
  if (lines.front().title != quantity.title) {
    table.emplace_back(1 + rows.columns().size());
    table.back()[0] = quantity.title;
  }
  const int decimals = Decimals(lines);
  for (const Numbers& numbers : lines) {
    Line& line = table.emplace_back(1, numbers.title);
    for (const auto& mean : numbers.columns) {
      line.push_back(Cell(mean, decimals));
    }
  }
}

}  // namespace

std::string VariantTable(const v1::Result& result, int width) {
  const TrainingRows rows(result);
  std::vector<Column> columns = {LeftColumn("")};
  std::vector<Line> table = {{"Step"}, {"Seeds"}};
  for (const std::string& column : rows.columns()) {
    const int64_t step = rows.LastStep(column);
    columns.push_back(RightColumn(PrintableLine(column)));
    table[0].push_back(absl::StrCat(step));
    table[1].push_back(absl::StrCat(rows.SeedCount(column, step)));
  }
  const size_t above = table.size();
  for (const TrainedQuantity& quantity :
       TrainedQuantities(result.job().train())) {
    AddQuantity(rows, quantity, table);
  }
  return table.size() == above ? "" : FormatTable(columns, table, width);
}

}  // namespace moeprobe

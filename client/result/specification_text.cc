#include "client/result/specification_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/result/specification_curve.h"
#include "client/text/csv_cell.h"
#include "client/text/format.h"
#include "client/text/table.h"
#include "core/base/printable.h"

namespace moeprobe {
namespace {

constexpr double kSignificant = 0.05;
constexpr int kStripWidth = 25;  // characters of the line that shows z

// The line from the smallest to the largest z of a curve, 0 among them.
class Strip {
 public:
  explicit Strip(const SpecificationCurve& curve) {
    for (const Outcome& outcome : curve.outcomes) {
      if (std::isnan(outcome.z)) continue;
      low_ = std::min(low_, outcome.z);
      high_ = std::max(high_, outcome.z);
    }
  }

  // "·" with "│" at 0 and "●" at `z`.
  std::string Show(double z) const {
    std::vector<std::string> marks(kStripWidth, "\u00B7");
    marks[Place(0)] = "\u2502";
    if (!std::isnan(z)) marks[Place(z)] = "\u25CF";
    return absl::StrJoin(marks, "");
  }

 private:
  size_t Place(double z) const {
    if (high_ == low_) return 0;
    return static_cast<size_t>(
        std::lround((z - low_) / (high_ - low_) * (kStripWidth - 1)));
  }

  double low_ = 0;
  double high_ = 0;
};

std::string Number(double number) {
  return std::isnan(number) ? kAbsent : absl::StrFormat("%.4g", number);
}

std::vector<std::string> LineOf(const Outcome& outcome, const Strip& strip) {
  return {absl::StrCat("  ", outcome.reading),
          outcome.null,
          outcome.part,
          PrintableLine(outcome.settings),
          absl::StrCat(outcome.layer),
          Number(outcome.mean),
          Number(outcome.drawn.mean),
          std::isnan(outcome.z) ? kAbsent : absl::StrFormat("%+.1f", outcome.z),
          absl::StrFormat("%.3f", outcome.drawn.p),
          strip.Show(outcome.z)};
}

// Takes out columns that say the same everywhere.
void DropConstant(std::vector<Column>& columns,
                  std::vector<std::vector<std::string>>& rows, size_t column) {
  const bool constant = std::ranges::all_of(rows, [&](const auto& row) {
    return row[column] == rows.front()[column];
  });
  if (!constant) return;
  const auto at = static_cast<std::ptrdiff_t>(column);
  columns.erase(columns.begin() + at);
  for (auto& row : rows) row.erase(row.begin() + at);
}

// How many outcomes say what.
struct Counts {
  size_t above = 0;
  size_t significant = 0;
};

Counts CountsOf(const SpecificationCurve& curve) {
  Counts counts;
  for (const Outcome& outcome : curve.outcomes) {
    if (outcome.mean > outcome.drawn.mean) ++counts.above;
    if (outcome.drawn.p <= kSignificant) ++counts.significant;
  }
  return counts;
}

std::string CurveText(const SpecificationCurve& curve, int width) {
  std::vector<Column> columns = {
      LeftColumn("reading"), LeftColumn("null"),
      LeftColumn("part"),    LeftColumn("cell"),
      RightColumn("layer"),  RightColumn("mean"),
      RightColumn("null's"), RightColumn("z"),
      RightColumn("p"),      LeftColumn("z, from the lowest to the highest")};
  std::vector<std::vector<std::string>> rows;
  rows.reserve(curve.outcomes.size());
  const Strip strip(curve);
  for (const Outcome& outcome : curve.outcomes) {
    rows.push_back(LineOf(outcome, strip));
  }
  for (const size_t column : {3, 2}) DropConstant(columns, rows, column);
  const Counts counts = CountsOf(curve);
  return absl::StrCat(curve.claim, "\n", FormatTable(columns, rows, width),
                      "  above its null in ", counts.above, " of ",
                      curve.outcomes.size(), ", p <= ", kSignificant, " in ",
                      counts.significant, "\n");
}

}  // namespace

std::string SpecificationText(const std::vector<SpecificationCurve>& curves,
                              int width) {
  std::vector<std::string> texts;
  texts.reserve(curves.size());
  for (const SpecificationCurve& curve : curves) {
    texts.push_back(CurveText(curve, width));
  }
  return absl::StrJoin(texts, "\n");
}

nlohmann::ordered_json SpecificationJson(
    const std::vector<SpecificationCurve>& curves) {
  auto list = nlohmann::ordered_json::array();
  for (const SpecificationCurve& curve : curves) {
    auto outcomes = nlohmann::ordered_json::array();
    for (const Outcome& outcome : curve.outcomes) {
      outcomes.push_back({{"part", outcome.part},
                          {"settings", outcome.settings},
                          {"layer", outcome.layer},
                          {"reading", outcome.reading},
                          {"null", outcome.null},
                          {"mean", outcome.mean},
                          {"null_mean", outcome.drawn.mean},
                          {"null_std", outcome.drawn.deviation},
                          {"z", outcome.z},
                          {"p", outcome.drawn.p}});
      if (outcome.low && outcome.high) {
        outcomes.back()["interval"] = {*outcome.low, *outcome.high};
      }
    }
    const Counts counts = CountsOf(curve);
    list.push_back({{"claim", curve.claim},
                    {"above", counts.above},
                    {"significant", counts.significant},
                    {"outcomes", std::move(outcomes)}});
  }
  return list;
}

std::string SpecificationCsv(const std::vector<SpecificationCurve>& curves) {
  std::string csv =
      "claim,reading,null,part,settings,layer,mean,interval_low,interval_high,"
      "null_mean,null_std,z,p\n";
  for (const SpecificationCurve& curve : curves) {
    for (const Outcome& outcome : curve.outcomes) {
      const std::array cells = {CsvCell(curve.claim),
                                CsvCell(outcome.reading),
                                CsvCell(outcome.null),
                                CsvCell(outcome.part),
                                CsvCell(outcome.settings),
                                absl::StrCat(outcome.layer),
                                FormatExact(outcome.mean),
                                CsvCell(outcome.low),
                                CsvCell(outcome.high),
                                FormatExact(outcome.drawn.mean),
                                FormatExact(outcome.drawn.deviation),
                                FormatExact(outcome.z),
                                FormatExact(outcome.drawn.p)};
      absl::StrAppend(&csv, absl::StrJoin(cells, ","), "\n");
    }
  }
  return csv;
}

}  // namespace moeprobe

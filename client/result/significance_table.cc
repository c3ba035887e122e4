#include "client/result/significance_table.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/result/data_rows.h"
#include "client/result/decimals.h"
#include "client/result/row_nulls.h"
#include "client/result/shown_quantities.h"
#include "client/text/format.h"
#include "client/text/table.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

using Line = std::vector<std::string>;

// Which of NullNames() any row of a table has.
using Nulls = std::set<size_t>;

Nulls NullsOf(const v1::SummaryRow& row) {
  Nulls nulls;
  for (size_t i = 0; i < NullNames().size(); ++i) {
    if (NullOf(row, i)) nulls.insert(i);
  }
  return nulls;
}

bool IsShown(const v1::SummaryRow& row) {
  return row.has_interval_low() || !NullsOf(row).empty();
}

std::vector<DataRow> Drawn(const DataRows& rows,
                           const ShownQuantity& quantity) {
  std::vector<DataRow> drawn = rows.Find(quantity.part, quantity.name);
  std::erase_if(drawn, [](const DataRow& row) { return !IsShown(*row.row); });
  return drawn;
}

// Enough for two digits of the widest error.
int Decimals(const std::vector<DataRow>& rows) {
  double largest = 0;
  double error = 0;
  for (const DataRow& row : rows) {
    largest = std::max(largest, std::abs(row.row->mean()));
    error = std::max(error, row.row->standard_error());
    for (size_t i = 0; i < NullNames().size(); ++i) {
      const std::optional<RowNull> null = NullOf(*row.row, i);
      if (null) error = std::max(error, null->deviation);
    }
  }
  return DecimalsUpTo(largest, error);
}

std::string Number(double number, int decimals) {
  return absl::StrFormat("%.*f", decimals, number);
}

std::string IntervalCell(const v1::SummaryRow& row, int decimals) {
  if (!row.has_interval_low() || !row.has_interval_high()) return kAbsent;
  return absl::StrCat("[", Number(row.interval_low(), decimals), ", ",
                      Number(row.interval_high(), decimals), "]");
}

// A null's mean and deviation, how far the observed mean is above it, and p.
void AddNull(double observed, const std::optional<RowNull>& null, int decimals,
             Line& line) {
  if (!null) {
    line.insert(line.end(), 3, kAbsent);
    return;
  }
  line.push_back(absl::StrCat(Number(null->mean, decimals), " \u00B1 ",
                              Number(null->deviation, decimals)));
  line.push_back(absl::StrFormat("%+.*f", decimals, observed - null->mean));
  line.push_back(FormatP(null->p));
}

Line LineOf(const v1::SummaryRow& row, const std::string& layer, int decimals,
            const Nulls& nulls) {
  Line line = {absl::StrCat("  layer ", layer), Number(row.mean(), decimals),
               IntervalCell(row, decimals)};
  for (const size_t i : nulls) {
    AddNull(row.mean(), NullOf(row, i), decimals, line);
  }
  return line;
}

std::vector<Column> Columns(const Nulls& nulls) {
  std::vector<Column> columns = {LeftColumn(""), RightColumn("mean"),
                                 RightColumn("95 % interval")};
  for (const size_t i : nulls) {
    for (const char* title : {"null", "difference", "p"}) {
      columns.push_back(RightColumn(title, NullNames()[i].title));
    }
  }
  return columns;
}

Nulls NullsOf(const DataRows& rows) {
  Nulls nulls;
  for (const ShownQuantity& quantity : ShownQuantities()) {
    for (const DataRow& row : Drawn(rows, quantity)) {
      nulls.merge(NullsOf(*row.row));
    }
  }
  return nulls;
}

std::string DataTable(const v1::Result& result, const std::string& data,
                      int width) {
  const DataRows rows(result, data);
  const Nulls nulls = NullsOf(rows);
  const std::vector<Column> columns = Columns(nulls);
  std::vector<Line> lines;
  for (const ShownQuantity& quantity : ShownQuantities()) {
    const std::vector<DataRow> drawn = Drawn(rows, quantity);
    if (drawn.empty()) continue;
    lines.emplace_back(columns.size());
    lines.back()[0] = absl::StrCat(quantity.group, ", ", quantity.title);
    const int decimals = Decimals(drawn);
    for (const DataRow& row : drawn) {
      lines.push_back(
          LineOf(*row.row, rows.LayerText(row.layer), decimals, nulls));
    }
  }
  return lines.empty() ? "" : FormatTable(columns, lines, width);
}

}  // namespace

std::string SignificanceTable(const v1::Result& result, int width) {
  return TablesByDataSet(result, [&](const std::string& prefix) {
    return DataTable(result, prefix, width);
  });
}

}  // namespace moeprobe

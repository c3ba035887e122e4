#include "client/result/means_table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/result/data_rows.h"
#include "client/result/decimals.h"
#include "client/result/shown_quantities.h"
#include "client/text/table.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

// The cells of one column, by layer.
using Cells = std::map<int, std::string>;

int Decimals(const std::vector<DataRow>& rows) {
  double largest = 0;
  for (const DataRow& row : rows) {
    largest = std::max({largest, std::abs(row.row->mean()),
                        std::abs(row.row->standard_deviation())});
  }
  return DecimalsUpTo(largest);
}

std::string Cell(const v1::SummaryRow& row, int decimals) {
  std::string mean = absl::StrFormat("%.*f", decimals, row.mean());
  if (row.count() == 1) return mean;
  return absl::StrCat(
      mean, " \u00B1 ",
      absl::StrFormat("%.*f", decimals, row.standard_deviation()));
}

// Numbers of components for four shares of the variance: "3.4/9.1/17.0/26.2".
Cells ComponentCells(const DataRows& rows, const ShownQuantity& quantity) {
  std::map<int, std::vector<std::string>> numbers;
  for (const char* share : {"/50", "/80", "/90", "/95"}) {
    for (const DataRow& row :
         rows.Find(quantity.part, absl::StrCat(quantity.name, share))) {
      const double mean = row.row->mean();
      const bool whole = row.row->count() == 1 || mean >= 100;
      numbers[row.layer].push_back(
          absl::StrFormat("%.*f", whole ? 0 : 1, mean));
    }
  }
  Cells cells;
  for (const auto& [layer, four] : numbers) {
    cells[layer] = absl::StrJoin(four, "/");
  }
  return cells;
}

Cells CellsOf(const DataRows& rows, const ShownQuantity& quantity) {
  if (absl::EndsWith(quantity.name, "/components")) {
    return ComponentCells(rows, quantity);
  }
  const std::vector<DataRow> found = rows.Find(quantity.part, quantity.name);
  const int decimals = Decimals(found);
  Cells cells;
  for (const DataRow& row : found) cells[row.layer] = Cell(*row.row, decimals);
  return cells;
}

std::string DataTable(const v1::Result& result, const std::string& data,
                      int width) {
  const DataRows rows(result, data);
  std::vector<Column> columns = {
      RightColumn(rows.DepthsDiffer() ? "layer (baseline)" : "layer")};
  std::vector<Cells> shown;
  std::map<int, std::vector<std::string>> lines;
  for (const ShownQuantity& quantity : ShownQuantities()) {
    Cells cells = CellsOf(rows, quantity);
    if (cells.empty()) continue;
    columns.push_back(RightColumn(quantity.title, quantity.group));
    for (const auto& [layer, cell] : cells) lines[layer];
    shown.push_back(std::move(cells));
  }
  if (shown.empty()) return "";
  for (auto& [layer, line] : lines) {
    line.push_back(rows.LayerText(layer));
    for (const Cells& cells : shown) {
      const auto cell = cells.find(layer);
      line.push_back(cell == cells.end() ? kAbsent : cell->second);
    }
  }
  std::vector<std::vector<std::string>> table;
  table.reserve(lines.size());
  for (auto& [layer, line] : lines) table.push_back(std::move(line));
  return FormatTable(columns, table, width);
}

}  // namespace

std::string MeansTable(const v1::Result& result, int width) {
  return TablesByDataSet(result, [&](const std::string& prefix) {
    return DataTable(result, prefix, width);
  });
}

}  // namespace moeprobe

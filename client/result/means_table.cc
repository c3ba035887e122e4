#include "client/result/means_table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "client/result/printed_quantities.h"
#include "client/result/summary_place.h"
#include "client/text/table.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

// Rows of one part and quantity, by layer.
using LayerRows = std::map<int, const v1::SummaryRow*>;
using RowsByQuantity = std::map<std::pair<std::string, std::string>, LayerRows>;

// "data1/" of "data1/baseline/".
std::string DataPrefix(const std::string& prefix) {
  return std::string(absl::StripSuffix(prefix, "baseline/"));
}

RowsByQuantity Rows(const v1::Result& result, const std::string& data) {
  RowsByQuantity rows;
  for (const v1::SummaryRow& row : result.summary()) {
    const std::string prefix = PrefixOf(row);
    const bool shown = row.layer() >= 0 && row.count() > 0 &&
                       std::isfinite(row.mean()) && DataPrefix(prefix) == data;
    if (shown) rows[{prefix, row.quantity()}][row.layer()] = &row;
  }
  return rows;
}

// Three decimals, as the papers have them; one where numbers are large, and as
// many as it takes for three digits where they are tiny.
int Decimals(const LayerRows& rows) {
  double largest = 0;
  for (const auto& [layer, row] : rows) {
    largest = std::max(
        {largest, std::abs(row->mean()), std::abs(row->standard_deviation())});
  }
  if (largest >= 10) return 1;
  if (largest >= 0.01 || largest == 0) return 3;
  return std::min(2 - static_cast<int>(std::floor(std::log10(largest))), 9);
}

std::string Cell(const LayerRows& rows, int layer, int decimals) {
  const auto found = rows.find(layer);
  if (found == rows.end()) return "\u2013";
  const v1::SummaryRow& row = *found->second;
  std::string mean = absl::StrFormat("%.*f", decimals, row.mean());
  if (row.count() == 1) return mean;
  return absl::StrCat(
      mean, " \u00B1 ",
      absl::StrFormat("%.*f", decimals, row.standard_deviation()));
}

std::string DataTable(const v1::Result& result, const std::string& data,
                      int width) {
  const RowsByQuantity rows = Rows(result, data);
  std::set<int> layers;
  std::vector<Column> columns = {RightColumn("layer")};
  std::vector<const LayerRows*> shown;
  for (const PrintedQuantity& quantity : kPrintedQuantities) {
    const auto found =
        rows.find({absl::StrCat(data, quantity.part), quantity.name});
    if (found == rows.end()) continue;
    columns.push_back(RightColumn(quantity.title, quantity.group));
    shown.push_back(&found->second);
    for (const auto& [layer, row] : found->second) layers.insert(layer);
  }
  if (shown.empty()) return "";
  std::vector<std::vector<std::string>> cells;
  for (const int layer : layers) {
    cells.push_back({absl::StrCat(layer)});
    for (const LayerRows* column : shown) {
      cells.back().push_back(Cell(*column, layer, Decimals(*column)));
    }
  }
  return FormatTable(columns, cells, width);
}

}  // namespace

std::string MeansTable(const v1::Result& result, int width) {
  std::set<std::string> data_sets;
  for (const v1::SummaryRow& row : result.summary()) {
    data_sets.insert(DataPrefix(PrefixOf(row)));
  }
  std::string text;
  for (const std::string& data : data_sets) {
    const std::string table = DataTable(result, data, width);
    if (table.empty()) continue;
    if (!text.empty()) text += '\n';
    if (!data.empty()) {
      absl::StrAppend(&text, absl::StripSuffix(data, "/"), "\n");
    }
    text += table;
  }
  return text;
}

}  // namespace moeprobe

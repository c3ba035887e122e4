#include "client/result/sweep_tables.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "client/result/cell_index.h"
#include "client/result/decimals.h"
#include "client/result/shown_quantities.h"
#include "client/result/summary_place.h"
#include "client/text/table.h"
#include "core/base/printable.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

// Numbers of one table, by column and cell.
using Curves = std::map<int, std::map<int, double>>;

// A table's place in the text: prefix of the part within its cell, quantity.
using Place = std::pair<std::string, std::string>;

// "temperature" of "routing.temperature".
std::string ShortName(const std::string& field) {
  return field.substr(field.rfind('.') + 1);
}

std::string Title(const v1::Result& result) {
  std::vector<std::string> names;
  for (const v1::SweepSetting& setting : result.cells(0).settings()) {
    names.push_back(ShortName(setting.field()));
  }
  return PrintableLine(absl::StrJoin(names, ", "));
}

std::string SettingsText(const v1::SweepCell& cell) {
  std::vector<std::string> values;
  for (const v1::SweepSetting& setting : cell.settings()) {
    values.push_back(setting.value());
  }
  return PrintableLine(absl::StrJoin(values, ", "));
}

// Which cell a name belongs to, which loses the cell's prefix; -1: none.
int TakeCell(const v1::Result& result, const CellIndex& cells,
             std::string& name) {
  const std::optional<int> cell = cells.Find(name);
  if (!cell) return -1;
  name = name.substr(result.cells(*cell).prefix().size());
  return *cell;
}

int Decimals(const Curves& curves) {
  double largest = 0;
  for (const auto& [column, cells] : curves) {
    for (const auto& [cell, mean] : cells) {
      largest = std::max(largest, std::abs(mean));
    }
  }
  return DecimalsUpTo(largest);
}

bool IsConstant(const Curves& curves) {
  return std::ranges::all_of(curves, [](const auto& column) {
    return std::ranges::all_of(column.second, [&](const auto& entry) {
      return entry.second == column.second.begin()->second;
    });
  });
}

// `titles`: of the columns of `curves`, in order.
std::string Table(const v1::Result& result, const std::vector<Column>& titles,
                  const Curves& curves, int decimals, int width) {
  std::vector<Column> columns = {RightColumn(Title(result))};
  columns.insert(columns.end(), titles.begin(), titles.end());
  std::vector<std::vector<std::string>> rows;
  for (int i = 0; i < result.cells_size(); ++i) {
    rows.push_back({SettingsText(result.cells(i))});
    for (const auto& [column, cells] : curves) {
      const auto found = cells.find(i);
      rows.back().push_back(
          found == cells.end()
              ? kAbsent
              : absl::StrFormat("%.*f", decimals, found->second));
    }
  }
  return FormatTable(columns, rows, width);
}

// The curves of one quantity: columns are layers.
std::string QuantityTable(const v1::Result& result, const Curves& curves,
                          int width) {
  std::vector<Column> titles;
  for (const auto& [layer, cells] : curves) {
    titles.push_back(RightColumn(absl::StrCat(layer), "layer"));
  }
  return Table(result, titles, curves, Decimals(curves), width);
}

// The losses: columns are parts of a cell.
std::string LossTable(const v1::Result& result, int width) {
  Curves losses;
  std::vector<std::string> names;
  std::vector<Column> titles;
  const CellIndex cells(result);
  for (const v1::Provenance& part : result.provenance()) {
    std::string prefix = part.prefix();
    const int cell = TakeCell(result, cells, prefix);
    if (!part.has_nll() || cell < 0) continue;
    const std::string name = PartName(prefix);
    const auto place = std::ranges::find(names, name) - names.begin();
    if (place == std::ssize(names)) {
      names.push_back(name);
      titles.push_back(RightColumn(PrintableLine(name)));
    }
    losses[static_cast<int>(place)][cell] = part.nll();
  }
  if (names.empty()) return "";
  return absl::StrCat("Next-token loss, nats\n",
                      Table(result, titles, losses, 4, width));
}

}  // namespace

std::string SweepTables(const v1::Result& result, int width) {
  std::map<Place, Curves> tables;
  std::set<std::string> data_sets;
  const CellIndex cells(result);
  for (const v1::SummaryRow& row : result.summary()) {
    std::string prefix = PrefixOf(row);
    const int cell = TakeCell(result, cells, prefix);
    const bool shown = cell >= 0 && row.layer() >= 0 && row.count() > 0 &&
                       std::isfinite(row.mean());
    if (!shown) continue;
    data_sets.insert(std::string(absl::StripSuffix(prefix, "baseline/")));
    tables[{prefix, row.quantity()}][row.layer()][cell] = row.mean();
  }
  std::string text;
  for (const std::string& data : data_sets) {
    for (const ShownQuantity& quantity : ShownQuantities()) {
      const auto found =
          tables.find({absl::StrCat(data, quantity.part), quantity.name});
      const bool is_baseline = *quantity.part != '\0';
      if (found == tables.end()) continue;
      if (is_baseline && IsConstant(found->second)) continue;
      absl::StrAppend(
          &text, text.empty() ? "" : "\n",
          PrintableLine(absl::StrCat(data, data.empty() ? "" : " ",
                                     quantity.group, ", ", quantity.title)),
          "\n", QuantityTable(result, found->second, width));
    }
  }
  const std::string losses = LossTable(result, width);
  return losses.empty() ? text
                        : absl::StrCat(text, text.empty() ? "" : "\n", losses);
}

}  // namespace moeprobe

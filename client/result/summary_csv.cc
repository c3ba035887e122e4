#include "client/result/summary_csv.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/result/cell_index.h"
#include "client/result/row_nulls.h"
#include "client/result/summary_place.h"
#include "client/text/csv_cell.h"
#include "client/text/format.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

// A number that a row may lack.
std::string Optional(bool has, double number) {
  return absl::StrCat(",", has ? FormatExact(number) : "");
}

std::string Significance(const v1::SummaryRow& row) {
  std::string cells =
      absl::StrCat(Optional(row.has_standard_error(), row.standard_error()),
                   Optional(row.has_interval_low(), row.interval_low()),
                   Optional(row.has_interval_high(), row.interval_high()));
  for (size_t i = 0; i < NullNames().size(); ++i) {
    const std::optional<RowNull> null = NullOf(row, i);
    for (const double RowNull::* number :
         {&RowNull::mean, &RowNull::deviation, &RowNull::p}) {
      absl::StrAppend(&cells,
                      Optional(null.has_value(), null ? (*null).*number : 0));
    }
  }
  return cells;
}

std::string NullTitles() {
  std::string titles;
  for (const NullName& null : NullNames()) {
    absl::StrAppend(&titles, ",", null.prefix, "null_mean,", null.prefix,
                    "null_std,", null.prefix, "p");
  }
  return titles;
}

// What distinguishes the cells, in the order in which they name it.
std::vector<std::string> SettingFields(const v1::Result& result) {
  std::vector<std::string> fields;
  for (const v1::SweepCell& cell : result.cells()) {
    for (const v1::SweepSetting& setting : cell.settings()) {
      if (std::ranges::find(fields, setting.field()) == fields.end()) {
        fields.push_back(setting.field());
      }
    }
  }
  return fields;
}

}  // namespace

std::string SummaryCsv(const v1::Result& result) {
  std::string csv =
      "part,layer,quantity,mean,std,count,se,interval_low,interval_high";
  absl::StrAppend(&csv, NullTitles());
  const std::vector<std::string> fields = SettingFields(result);
  for (const std::string& field : fields) {
    absl::StrAppend(&csv, ",", CsvCell(field));
  }
  csv += '\n';
  const CellIndex cells(result);
  for (const v1::SummaryRow& row : result.summary()) {
    absl::StrAppend(&csv, CsvCell(PartName(PrefixOf(row))), ",", row.layer(),
                    ",", CsvCell(row.quantity()));
    absl::StrAppend(&csv, ",", FormatExact(row.mean()), ",",
                    FormatExact(row.standard_deviation()));
    absl::StrAppend(&csv, ",", row.count(), Significance(row));
    const std::optional<int> cell = cells.Find(row.name());
    for (const std::string& field : fields) {
      std::string value = cell ? SettingOf(result.cells(*cell), field) : "";
      if (cell && value.empty()) value = kOwnSetting;
      absl::StrAppend(&csv, ",", CsvCell(value));
    }
    csv += '\n';
  }
  return csv;
}

}  // namespace moeprobe

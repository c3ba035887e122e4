#include "client/result/summary_csv.h"

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
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

// Columns for what distinguishes the cells of a sweep.
std::string SettingTitles(const v1::Result& result) {
  std::string titles;
  if (result.cells().empty()) return titles;
  for (const v1::SweepSetting& setting : result.cells(0).settings()) {
    absl::StrAppend(&titles, ",", CsvCell(setting.field()));
  }
  return titles;
}

std::string Settings(const v1::SummaryRow& row, const v1::Result& result) {
  std::string values;
  for (const v1::SweepCell& cell : result.cells()) {
    if (!absl::StartsWith(row.name(), cell.prefix())) continue;
    for (const v1::SweepSetting& setting : cell.settings()) {
      absl::StrAppend(&values, ",", CsvCell(setting.value()));
    }
  }
  return values;
}

}  // namespace

std::string SummaryCsv(const v1::Result& result) {
  std::string csv =
      "part,layer,quantity,mean,std,count,se,interval_low,interval_high";
  absl::StrAppend(&csv, NullTitles(), SettingTitles(result), "\n");
  for (const v1::SummaryRow& row : result.summary()) {
    absl::StrAppend(&csv, CsvCell(PartName(PrefixOf(row))), ",", row.layer(),
                    ",", CsvCell(row.quantity()));
    absl::StrAppend(&csv, ",", FormatExact(row.mean()), ",",
                    FormatExact(row.standard_deviation()));
    absl::StrAppend(&csv, ",", row.count(), Significance(row),
                    Settings(row, result), "\n");
  }
  return csv;
}

}  // namespace moeprobe

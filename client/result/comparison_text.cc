#include "client/result/comparison_text.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/result/comparison.h"
#include "client/result/decimals.h"
#include "client/result/difference.h"
#include "client/result/summary_place.h"
#include "client/text/csv_cell.h"
#include "client/text/format.h"
#include "client/text/table.h"
#include "core/base/printable.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

using Json = nlohmann::ordered_json;

std::string PartOf(const v1::SummaryRow& row) {
  return PartName(PrefixOf(row));
}

// "grassmann/routed", with its part where that is not the model.
std::string Heading(const v1::SummaryRow& row) {
  const std::string part = PartOf(row);
  return PrintableLine(absl::StrCat(
      part == "model" ? "" : absl::StrCat(part, ": "), row.quantity()));
}

std::string LayerText(const ComparedMeans& means) {
  if (means.a.layer() < 0) return "  whole model";
  if (means.a.layer() == means.b.layer()) {
    return absl::StrCat("  layer ", means.a.layer());
  }
  return absl::StrCat("  layers ", means.a.layer(), " and ", means.b.layer());
}

// Half of the interval stands for two errors.
int Decimals(const std::vector<const ComparedMeans*>& group) {
  double largest = 0;
  double error = 0;
  for (const ComparedMeans* means : group) {
    largest = std::max(
        {largest, std::abs(means->a.mean()), std::abs(means->b.mean())});
    const Difference& difference = means->difference;
    if (difference.low && difference.high) {
      error = std::max(error, (*difference.high - *difference.low) / 4);
    }
  }
  return DecimalsUpTo(largest, error);
}

std::vector<std::string> Line(const ComparedMeans& means, int decimals) {
  const auto number = [decimals](double value) {
    return absl::StrFormat("%.*f", decimals, value);
  };
  const Difference& difference = means.difference;
  std::vector<std::string> line = {
      LayerText(means),
      number(means.a.mean()),
      number(means.b.mean()),
      absl::StrFormat("%+.*f", decimals, difference.value),
      kAbsent,
      kAbsent};
  if (difference.low && difference.high) {
    line[4] = absl::StrCat("[", number(*difference.low), ", ",
                           number(*difference.high), "]");
  }
  if (difference.p) {
    line[5] = FormatP(*difference.p);
  }
  return line;
}

Json SideJson(const v1::SummaryRow& row) {
  return {{"part", PartOf(row)},
          {"layer", row.layer()},
          {"mean", row.mean()},
          {"std", row.standard_deviation()}};
}

Json MeansJson(const ComparedMeans& means) {
  const Difference& difference = means.difference;
  Json json = {{"quantity", means.a.quantity()},
               {"a", SideJson(means.a)},
               {"b", SideJson(means.b)},
               {"difference", difference.value}};
  if (difference.low && difference.high) {
    json["interval"] = {*difference.low, *difference.high};
  }
  if (difference.p) {
    json["p"] = *difference.p;
    json["same_windows"] = difference.paired;
  }
  return json;
}

}  // namespace

std::string ComparisonTable(const std::vector<ComparedMeans>& means,
                            int width) {
  std::vector<std::string> headings;  // in the order of their first row
  std::map<std::string, std::vector<const ComparedMeans*>> groups;
  for (const ComparedMeans& one : means) {
    auto& group = groups[Heading(one.a)];
    if (group.empty()) headings.push_back(Heading(one.a));
    group.push_back(&one);
  }
  const std::vector<Column> columns = {LeftColumn(""),
                                       RightColumn("a"),
                                       RightColumn("b"),
                                       RightColumn("b - a"),
                                       RightColumn("95 % interval"),
                                       RightColumn("p")};
  std::vector<std::vector<std::string>> lines;
  for (const std::string& heading : headings) {
    lines.emplace_back(columns.size());
    lines.back()[0] = heading;
    const int decimals = Decimals(groups[heading]);
    for (const ComparedMeans* one : groups[heading]) {
      lines.push_back(Line(*one, decimals));
    }
  }
  return FormatTable(columns, lines, width);
}

Json ComparisonJson(const std::vector<ComparedMeans>& means) {
  Json list = Json::array();
  for (const ComparedMeans& one : means) list.push_back(MeansJson(one));
  return list;
}

std::string ComparisonCsv(const std::vector<ComparedMeans>& means) {
  std::string csv =
      "quantity,part_a,layer_a,part_b,layer_b,a,b,difference,interval_low,"
      "interval_high,p,same_windows\n";
  for (const ComparedMeans& one : means) {
    const Difference& difference = one.difference;
    absl::StrAppend(&csv, CsvCell(one.a.quantity()), ",",
                    CsvCell(PartOf(one.a)), ",", one.a.layer(), ",");
    absl::StrAppend(&csv, CsvCell(PartOf(one.b)), ",", one.b.layer(), ",");
    absl::StrAppend(&csv, FormatExact(one.a.mean()), ",",
                    FormatExact(one.b.mean()), ",",
                    FormatExact(difference.value), ",");
    absl::StrAppend(&csv, CsvCell(difference.low), ",",
                    CsvCell(difference.high), ",", CsvCell(difference.p), ",");
    const char* paired = difference.paired ? "true" : "false";
    absl::StrAppend(&csv, difference.p ? paired : "", "\n");
  }
  return csv;
}

}  // namespace moeprobe

#include "client/result/summary_csv.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/result/summary_place.h"
#include "client/text/format.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {
namespace {

std::string Cell(const std::string& text) {
  const bool is_formula =
      text.find_first_of("=+-@\t\r") == 0;  // OWASP: CSV injection
  std::string safe = is_formula ? absl::StrCat("'", text) : text;
  if (safe.find_first_of(",\"\r\n") == std::string::npos) return safe;
  return absl::StrCat("\"", absl::StrReplaceAll(safe, {{"\"", "\"\""}}), "\"");
}

}  // namespace

std::string SummaryCsv(const v1::Result& result) {
  std::string csv = "part,layer,quantity,mean,std,count\n";
  for (const v1::SummaryRow& row : result.summary()) {
    absl::StrAppend(&csv, Cell(PartName(PrefixOf(row))), ",", row.layer(), ",",
                    Cell(row.quantity()));
    absl::StrAppend(&csv, ",", FormatExact(row.mean()), ",",
                    FormatExact(row.standard_deviation()));
    absl::StrAppend(&csv, ",", row.count(), "\n");
  }
  return csv;
}

}  // namespace moeprobe

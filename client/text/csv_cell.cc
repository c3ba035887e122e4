#include "client/text/csv_cell.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/text/format.h"

namespace moeprobe {

std::string CsvCell(const std::string& text) {
  const bool is_formula =
      text.find_first_of("=+-@\t\r") == 0;  // OWASP: CSV injection
  std::string safe = is_formula ? absl::StrCat("'", text) : text;
  if (safe.find_first_of(",\"\r\n") == std::string::npos) return safe;
  return absl::StrCat("\"", absl::StrReplaceAll(safe, {{"\"", "\"\""}}), "\"");
}

std::string CsvCell(const std::optional<double>& number) {
  return number ? FormatExact(*number) : "";
}

}  // namespace moeprobe

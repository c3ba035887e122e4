#ifndef MOEPROBE_CLIENT_TEXT_CSV_CELL_H_
#define MOEPROBE_CLIENT_TEXT_CSV_CELL_H_

#include <optional>
#include <string>

namespace moeprobe {

// Returns `text` as one cell of a CSV file, quoted where it has to be, and with
// an apostrophe in front where a spreadsheet would take it for a formula.
std::string CsvCell(const std::string& text);

// Returns a number as one cell: FormatExact(), or nothing.
std::string CsvCell(const std::optional<double>& number);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_TEXT_CSV_CELL_H_

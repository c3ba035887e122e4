#ifndef MOEPROBE_CLIENT_TEXT_TABLE_H_
#define MOEPROBE_CLIENT_TEXT_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace moeprobe {

// What a cell has in place of what there is not.
inline constexpr const char* kAbsent = "\u2013";

// A column of a table.
struct Column {
  enum class Align : std::uint8_t { kLeft, kRight };

  std::string title;
  Align align = Align::kLeft;
  std::string group;  // shown once above neighbours of the same group
};
Column LeftColumn(std::string title, std::string group = "");
Column RightColumn(std::string title, std::string group = "");

// Returns a table in plain text, columns two spaces apart, no line wider than
// `width` characters where that can be had: columns that do not fit follow in
// further tables below, each with the first column again. Every row has one
// cell for each column; cells are printable UTF-8.
std::string FormatTable(const std::vector<Column>& columns,
                        const std::vector<std::vector<std::string>>& rows,
                        int width);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_TEXT_TABLE_H_

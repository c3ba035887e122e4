#include "client/text/table.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "core/base/utf8.h"

namespace moeprobe {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr size_t kGap = 2;

std::string Pad(const std::string& text, size_t width, Column::Align align) {
  const size_t length = CountCharacters(text);
  const std::string spaces(width - std::min(width, length), ' ');
  return align == Column::Align::kLeft ? text + spaces : spaces + text;
}

std::string Rule(size_t length) {
  std::string rule;
  for (size_t i = 0; i < length; ++i) rule += "\u2500";
  return rule;
}

// "── name ──────" of `width` characters.
std::string GroupHeading(const std::string& name, size_t width) {
  const size_t used = CountCharacters(name) + 2;
  if (used + 4 > width) return Pad(name, width, Column::Align::kLeft);
  return Rule(2) + " " + name + " " + Rule(width - used - 2);
}

// Some columns of a table, set beside each other.
class Block {
 public:
  Block(const std::vector<Column>& columns, const Rows& rows,
        const std::vector<size_t>& widths)
      : columns_(columns), rows_(rows), widths_(widths), shown_{0} {}

  size_t Width() const {
    size_t width = 0;
    for (const size_t column : shown_) width += widths_[column] + kGap;
    return width - kGap;
  }
  bool IsEmpty() const { return shown_.size() == 1; }
  void Add(size_t column) { shown_.push_back(column); }
  void Clear() { shown_ = {0}; }

  std::string Format() const {
    std::string text = GroupLine();
    std::vector<std::string> titles;
    titles.reserve(columns_.size());
    for (const Column& column : columns_) titles.push_back(column.title);
    text += Line(titles);
    for (const std::vector<std::string>& row : rows_) text += Line(row);
    return text;
  }

 private:
  std::string Line(const std::vector<std::string>& cells) const {
    std::string line;
    for (const size_t column : shown_) {
      if (!line.empty()) line += std::string(kGap, ' ');
      line += Pad(cells[column], widths_[column], columns_[column].align);
    }
    return WithoutTrailingSpaces(line) + "\n";
  }

  std::string GroupLine() const {
    std::string line;
    for (size_t i = 0; i < shown_.size();) {
      const std::string& group = columns_[shown_[i]].group;
      size_t width = widths_[shown_[i]];
      size_t next = i + 1;
      for (; next < shown_.size() && columns_[shown_[next]].group == group;
           ++next) {
        width += kGap + widths_[shown_[next]];
      }
      line +=
          group.empty() ? std::string(width, ' ') : GroupHeading(group, width);
      line += std::string(kGap, ' ');
      i = next;
    }
    line = WithoutTrailingSpaces(line);
    return line.empty() ? "" : line + "\n";
  }

  static std::string WithoutTrailingSpaces(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  }

  const std::vector<Column>& columns_;
  const Rows& rows_;
  const std::vector<size_t>& widths_;
  std::vector<size_t> shown_;
};

// Columns wide enough for their title and cells, and the first of a group for
// the group's name.
std::vector<size_t> Widths(const std::vector<Column>& columns,
                           const Rows& rows) {
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns.size(); ++i) {
    size_t width = CountCharacters(columns[i].title);
    for (const std::vector<std::string>& row : rows) {
      width = std::max(width, CountCharacters(row[i]));
    }
    widths.push_back(width);
  }
  for (size_t first = 0; first < columns.size();) {
    size_t next = first;
    size_t width = 0;
    for (; next < columns.size() && columns[next].group == columns[first].group;
         ++next) {
      width += widths[next] + (next == first ? 0 : kGap);
    }
    const size_t needed = CountCharacters(columns[first].group);
    if (needed > width) widths[first] += needed - width;
    first = next;
  }
  return widths;
}

}  // namespace

Column LeftColumn(std::string title, std::string group) {
  return {.title = std::move(title),
          .align = Column::Align::kLeft,
          .group = std::move(group)};
}

Column RightColumn(std::string title, std::string group) {
  return {.title = std::move(title),
          .align = Column::Align::kRight,
          .group = std::move(group)};
}

std::string FormatTable(const std::vector<Column>& columns, const Rows& rows,
                        int width) {
  const std::vector<size_t> widths = Widths(columns, rows);
  std::string text;
  Block block(columns, rows, widths);
  for (size_t i = 1; i < columns.size(); ++i) {
    const bool fits =
        block.Width() + kGap + widths[i] <= static_cast<size_t>(width);
    if (!fits && !block.IsEmpty()) {
      text += block.Format() + "\n";
      block.Clear();
    }
    block.Add(i);
  }
  return text + block.Format();
}

}  // namespace moeprobe

#include "client/text/heat_blocks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace moeprobe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int kLabelWidth = 5;  // of a row's number and the space behind it

// From blank to full, and from light to dark in the terminal's 256 colours.
constexpr std::array kShades = {" ", "\u2591", "\u2592", "\u2593", "\u2588"};
constexpr std::array kColours = {255, 252, 249, 246, 243, 240, 237, 234};

// The mean of the numbers among `count` rows and columns from [row, column],
// without the diagonal.
double MeanOfBlock(const SquareMatrix& matrix, int64_t row, int64_t column,
                   int64_t count) {
  double sum = 0;
  int64_t numbers = 0;
  for (int64_t i = row; i < std::min(row + count, matrix.size); ++i) {
    for (int64_t j = column; j < std::min(column + count, matrix.size); ++j) {
      const double entry =
          matrix.entries[static_cast<size_t>(i * matrix.size + j)];
      if (i == j || std::isnan(entry)) continue;
      sum += entry;
      ++numbers;
    }
  }
  return numbers > 0 ? sum / static_cast<double>(numbers) : kNaN;
}

// The matrix with blocks of `count` rows and columns in place of entries.
SquareMatrix Shrink(const SquareMatrix& matrix, int64_t count) {
  SquareMatrix small{.entries = {}, .size = (matrix.size + count - 1) / count};
  for (int64_t i = 0; i < small.size; ++i) {
    for (int64_t j = 0; j < small.size; ++j) {
      small.entries.push_back(MeanOfBlock(matrix, i * count, j * count, count));
    }
  }
  return small;
}

// What shades stand for.
struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  // Which of `count` shades an entry has.
  size_t Shade(double entry, size_t count) const {
    if (high <= low) return count / 2;
    const double share = (entry - low) / (high - low);
    return std::min(count - 1,
                    static_cast<size_t>(share * static_cast<double>(count)));
  }
};

Range RangeOf(const SquareMatrix& matrix) {
  Range range;
  for (const double entry : matrix.entries) {
    if (std::isnan(entry)) continue;
    range.low = std::min(range.low, entry);
    range.high = std::max(range.high, entry);
  }
  return range;
}

std::string Repeated(const char* mark, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += mark;
  return text;
}

std::string Cell(double entry, const Range& range, int width, bool colours) {
  if (std::isnan(entry)) return Repeated("\u00B7", width);
  if (!colours) {
    return Repeated(kShades.at(range.Shade(entry, kShades.size())), width);
  }
  return absl::StrCat("\033[48;5;",
                      kColours.at(range.Shade(entry, kColours.size())), "m",
                      Repeated(" ", width), "\033[0m");
}

}  // namespace

std::string HeatBlocks(const SquareMatrix& matrix, int width, bool colours) {
  const int64_t room = std::max(1, width - kLabelWidth);
  const int64_t count = (matrix.size + room - 1) / room;
  const SquareMatrix shown = Shrink(matrix, std::max<int64_t>(1, count));
  const Range range = RangeOf(shown);
  const int cell_width = 2 * shown.size <= room ? 2 : 1;
  std::string text;
  for (int64_t i = 0; i < shown.size; ++i) {
    absl::StrAppendFormat(&text, "%*d ", kLabelWidth - 1, i * count);
    for (int64_t j = 0; j < shown.size; ++j) {
      absl::StrAppend(
          &text, Cell(shown.entries[static_cast<size_t>(i * shown.size + j)],
                      range, cell_width, colours));
    }
    absl::StrAppend(&text, "\n");
  }
  if (range.high < range.low) return text;
  return absl::StrFormat(
      "%s%*s%s %.4g to %.4g %s%s\n", text, kLabelWidth, "",
      Cell(range.low, range, 2, colours), range.low, range.high,
      Cell(range.high, range, 2, colours),
      count > 1 ? absl::StrCat(", means of ", count, " x ", count) : "");
}

}  // namespace moeprobe

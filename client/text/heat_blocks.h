#ifndef MOEPROBE_CLIENT_TEXT_HEAT_BLOCKS_H_
#define MOEPROBE_CLIENT_TEXT_HEAT_BLOCKS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace moeprobe {

// A square matrix, row-major.
struct SquareMatrix {
  std::vector<double> entries;  // size * size
  int64_t size = 0;
};

// Returns the matrix as blocks, a line for each row with its number, darker
// where entries are larger, and under it what the shades stand for. Without
// `colours` the blocks are the five from blank to full. The diagonal and what
// is no number are dots.
//
// Where rows are wider than `width`, neighbours are averaged until they fit.
std::string HeatBlocks(const SquareMatrix& matrix, int width, bool colours);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_TEXT_HEAT_BLOCKS_H_

#ifndef MOEPROBE_SPEC_SWEEP_CELLS_H_
#define MOEPROBE_SPEC_SWEEP_CELLS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {

// One cell of a sweep: a request of its own.
struct SweepCell {
  std::string prefix;  // of its arrays: "sweep3/"; "" without a sweep
  // Fields and values, in the order of the axes.
  std::vector<std::pair<std::string, std::string>> settings;
  v1::AnalyzeSpec spec;  // without a sweep
};

// Returns how many cells the sweep of a request has; 1 without a sweep.
int64_t CountCells(const v1::AnalyzeSpec& spec);

// Returns the cells of a request whose sweep is known to be right: the product
// of its axes, the last one fastest; the request itself without a sweep. Where
// a cell selects all experts, it has no top_k.
std::vector<SweepCell> CellsOf(const v1::AnalyzeSpec& spec);

}  // namespace moeprobe

#endif  // MOEPROBE_SPEC_SWEEP_CELLS_H_

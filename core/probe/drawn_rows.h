#ifndef MOEPROBE_CORE_PROBE_DRAWN_ROWS_H_
#define MOEPROBE_CORE_PROBE_DRAWN_ROWS_H_

#include <cstdint>
#include <vector>

#include "core/probe/activation_rows.h"
#include "core/probe/probe_options.h"

namespace moeprobe {

// What averaged Jacobians would be sums of under routings other than the
// model's: for each weighting in order, a set of a row for each draw.
struct DrawnRows {
  std::vector<Weighting> weightings = {};
  int64_t router_count =
      0;                   // draws of the random-router null, which come first
  int64_t draw_count = 0;  // all: those of the permutation null follow
  std::vector<ActivationRows> experts = {};  // none where nothing was drawn
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_DRAWN_ROWS_H_

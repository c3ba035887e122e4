#ifndef MOEPROBE_SERVER_SWEEP_RESOLUTION_H_
#define MOEPROBE_SERVER_SWEEP_RESOLUTION_H_

#include <functional>
#include <string>
#include <vector>

#include "moeprobe/v1/analysis.pb.h"
#include "server/violations.h"

namespace moeprobe {

// What is wrong with one cell of a sweep, a request of its own.
using CheckCell = std::function<Violations(const v1::AnalyzeSpec& cell)>;

// Gives `spec`, a resolved request without a sweep, the sweep `axes`, values as
// their fields hold them. What is wrong with the axes, and what `check` finds
// wrong with a cell, goes to `violations`, under "sweep.{field}[{index}]" where
// a single value is to blame.
void ResolveSweep(const std::vector<v1::SweepAxis>& axes,
                  const CheckCell& check, v1::AnalyzeSpec& spec,
                  Violations& violations);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SWEEP_RESOLUTION_H_

#ifndef MOEPROBE_CLIENT_RESULT_SWEEP_TABLES_H_
#define MOEPROBE_CLIENT_RESULT_SWEEP_TABLES_H_

#include <string>

#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// Returns the curves of a sweep: for each data set and quantity a table of
// means, a row for each cell, a column for each layer; then the next-token
// losses. A baseline is shown where it changes. No line wider than `width`
// where that can be had. Empty if there is nothing to show.
std::string SweepTables(const v1::Result& result, int width);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_SWEEP_TABLES_H_

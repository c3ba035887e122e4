#ifndef MOEPROBE_CLIENT_RESULT_SIGNIFICANCE_TABLE_H_
#define MOEPROBE_CLIENT_RESULT_SIGNIFICANCE_TABLE_H_

#include <string>

#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// Returns what says whether a result's means mean anything: a row for each
// layer under the name of its quantity, with the mean, its 95 % interval, and
// for each null its mean and deviation, how far the mean is above it, and p.
// One table for each data set; no line wider than `width` where that can be
// had. Empty if nothing was drawn.
std::string SignificanceTable(const v1::Result& result, int width);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_SIGNIFICANCE_TABLE_H_

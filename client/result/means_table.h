#ifndef MOEPROBE_CLIENT_RESULT_MEANS_TABLE_H_
#define MOEPROBE_CLIENT_RESULT_MEANS_TABLE_H_

#include <string>

#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// Returns a result's means as the papers' table 1 has them: a row for each
// layer, a column for each of ShownQuantities, "mean ± std" over pairs of
// experts (ranks, numbers of components and singular values: over experts;
// router term: over tokens). The baseline stands beside the model at equal
// depth. One table for each data set; no line wider than `width` where that can
// be had. Empty if there is nothing to show.
std::string MeansTable(const v1::Result& result, int width);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_MEANS_TABLE_H_

#ifndef MOEPROBE_CLIENT_RESULT_VARIANT_TABLE_H_
#define MOEPROBE_CLIENT_RESULT_VARIANT_TABLE_H_

#include <string>

#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// Returns the table of a controlled experiment: a column for each variant, and
// for each variant under the gates of another; rows for each quantity and
// layer, and below each what its nulls come to. Means are those of layers at
// the column's last step, "mean ± std" over seeds (sample standard deviation,
// n - 1), with one seed over pairs; of nulls over draws.
// The first rows say how many steps and seeds that are.
//
// No line wider than `width` where that can be had. Empty if there is nothing
// to show.
std::string VariantTable(const v1::Result& result, int width);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_VARIANT_TABLE_H_

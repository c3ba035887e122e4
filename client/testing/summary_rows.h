#ifndef MOEPROBE_CLIENT_TESTING_SUMMARY_ROWS_H_
#define MOEPROBE_CLIENT_TESTING_SUMMARY_ROWS_H_

#include <string>

#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// Adds the mean of a quantity of a layer, over 28 pairs, to the summary of
// `result`; `prefix` is of a part, such as "data1/".
v1::SummaryRow& AddRow(v1::Result& result, const std::string& prefix, int layer,
                       const std::string& quantity, double mean);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_TESTING_SUMMARY_ROWS_H_

#ifndef MOEPROBE_CLIENT_RESULT_SUMMARY_PLACE_H_
#define MOEPROBE_CLIENT_RESULT_SUMMARY_PLACE_H_

#include <string>

#include "moeprobe/v1/result.pb.h"

namespace moeprobe {

// Returns the prefix of the arrays of the part of a job that a row belongs to:
// "", "baseline/", "data1/baseline/".
std::string PrefixOf(const v1::SummaryRow& row);

// Returns a name for that part: "model", "baseline", "data1/baseline".
std::string PartName(const std::string& prefix);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_SUMMARY_PLACE_H_

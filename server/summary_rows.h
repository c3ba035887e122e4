#ifndef MOEPROBE_SERVER_SUMMARY_ROWS_H_
#define MOEPROBE_SERVER_SUMMARY_ROWS_H_

#include <vector>

#include "moeprobe/v1/result_service.pb.h"
#include "storage/result_store.h"

namespace moeprobe {

// Adds to the summary of `result` a row for each array that has a mean, with
// its interval and its nulls where `arrays` has them, and four rows,
// "{array}/50" to "{array}/95", for each array of numbers of components.
void AddSummary(const std::vector<JobArray>& arrays, v1::Result& result);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SUMMARY_ROWS_H_

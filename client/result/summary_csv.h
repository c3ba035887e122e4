#ifndef MOEPROBE_CLIENT_RESULT_SUMMARY_CSV_H_
#define MOEPROBE_CLIENT_RESULT_SUMMARY_CSV_H_

#include <string>

#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// Returns a result's summary as CSV (RFC 4180, but with LF): a header, then
// part,layer,quantity,mean,std,count,se,interval_low,interval_high and mean,
// std and p of every null, for each layer and quantity; layer -1 is the whole
// model. What a row lacks is empty. Cells of a sweep or an experiment have
// their settings in columns of their own, "own" where only others have one.
// Text that a spreadsheet would take for a formula starts with an apostrophe.
std::string SummaryCsv(const v1::Result& result);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_SUMMARY_CSV_H_

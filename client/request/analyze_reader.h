#ifndef MOEPROBE_CLIENT_REQUEST_ANALYZE_READER_H_
#define MOEPROBE_CLIENT_REQUEST_ANALYZE_READER_H_

#include "absl/status/status.h"
#include "client/request/value.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {

// Reads a request of kind "analyze" from the root of its file; `kind` itself
// has been read.
absl::Status ReadAnalyzeSpec(const Value& root, v1::AnalyzeSpec& spec);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_ANALYZE_READER_H_

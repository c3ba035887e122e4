#ifndef MOEPROBE_CLIENT_REQUEST_SWEEP_READER_H_
#define MOEPROBE_CLIENT_REQUEST_SWEEP_READER_H_

#include "absl/status/status.h"
#include "client/request/value.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {

// Reads what stands at the key "sweep".
absl::Status ReadSweep(const Value& value, v1::AnalyzeSpec& spec);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_SWEEP_READER_H_

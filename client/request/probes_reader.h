#ifndef MOEPROBE_CLIENT_REQUEST_PROBES_READER_H_
#define MOEPROBE_CLIENT_REQUEST_PROBES_READER_H_

#include "absl/status/status.h"
#include "client/request/value.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {

// Reads what stands at the key "probes": at least one probe.
absl::Status ReadProbes(const Value& value, v1::ProbeSpec& probes);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_PROBES_READER_H_

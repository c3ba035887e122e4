#ifndef MOEPROBE_CLIENT_REQUEST_ROUTING_READER_H_
#define MOEPROBE_CLIENT_REQUEST_ROUTING_READER_H_

#include "absl/status/status.h"
#include "client/request/value.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {

// Reads what stands at the key "routing" of a request or of a variant.
absl::Status ReadRouting(const Value& value, v1::RoutingSpec& routing);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_ROUTING_READER_H_

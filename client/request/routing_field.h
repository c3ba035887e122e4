#ifndef MOEPROBE_CLIENT_REQUEST_ROUTING_FIELD_H_
#define MOEPROBE_CLIENT_REQUEST_ROUTING_FIELD_H_

#include "client/request/value.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {

// The key "routing", whose value goes into `spec`, which must outlive the call
// that reads it.
Field RoutingField(v1::AnalyzeSpec& spec);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_ROUTING_FIELD_H_

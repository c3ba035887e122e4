#ifndef MOEPROBE_CLIENT_REQUEST_NULLS_READER_H_
#define MOEPROBE_CLIENT_REQUEST_NULLS_READER_H_

#include "absl/status/status.h"
#include "client/request/value.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {

// Reads what stands at the key "nulls".
absl::Status ReadNulls(const Value& value, v1::NullSpec& nulls);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_NULLS_READER_H_

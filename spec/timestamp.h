#ifndef MOEPROBE_SPEC_TIMESTAMP_H_
#define MOEPROBE_SPEC_TIMESTAMP_H_

#include <google/protobuf/timestamp.pb.h>

#include "absl/time/time.h"

namespace moeprobe {

// Times as messages carry them; to the microsecond, as the database has them.
google::protobuf::Timestamp ToTimestamp(absl::Time time);
absl::Time ToTime(const google::protobuf::Timestamp& timestamp);

}  // namespace moeprobe

#endif  // MOEPROBE_SPEC_TIMESTAMP_H_

#ifndef MOEPROBE_CLIENT_REQUEST_SHARING_READER_H_
#define MOEPROBE_CLIENT_REQUEST_SHARING_READER_H_

#include "absl/status/status.h"
#include "client/request/value.h"
#include "moeprobe/v1/job.pb.h"

namespace moeprobe {

// Reads the keys `visibility` and `shared_with` of a request of any kind.
absl::Status ReadSharing(const Value& root, v1::Job& job);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_SHARING_READER_H_

#ifndef MOEPROBE_CLIENT_REQUEST_DATA_SOURCE_H_
#define MOEPROBE_CLIENT_REQUEST_DATA_SOURCE_H_

#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/request/value.h"

namespace moeprobe {

// Where data come from: keys such as "text" and "ids", of which one is there.

// A key that names a data set and goes into the field of the same name of
// `data`, which must outlive the call that reads it. Nothing is expanded.
Field SourceField(const std::string& key, google::protobuf::Message& data);

// Returns InvalidArgument unless the mapping `data` has exactly one of `keys`.
absl::Status CheckOneSource(const Value& data,
                            const std::vector<std::string>& keys);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_DATA_SOURCE_H_

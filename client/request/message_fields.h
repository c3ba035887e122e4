#ifndef MOEPROBE_CLIENT_REQUEST_MESSAGE_FIELDS_H_
#define MOEPROBE_CLIENT_REQUEST_MESSAGE_FIELDS_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "client/request/value.h"

namespace moeprobe {

// Characters of the label that a job may have.
inline constexpr int64_t kLongestLabel = 200;

// Returns the message that the field `key` of a message is.
google::protobuf::Message& MutablePart(const std::string& key,
                                       google::protobuf::Message& message);

// Keys whose value goes into the field of the same name of a message, which
// must outlive the call that reads them.

// Text of at most `most_characters`.
Field TextField(const std::string& key, google::protobuf::Message& message,
                int64_t most_characters = 4096);

// An integer in [least, most] for an int32 or int64 field.
Field IntegerField(const std::string& key, google::protobuf::Message& message,
                   int64_t least,
                   int64_t most = std::numeric_limits<int64_t>::max());

// The same for a field of several: a list, each at most once.
Field IntegersField(const std::string& key, google::protobuf::Message& message,
                    int64_t least);

// A number of tokens, at least 1; -1 for the word all.
Field TokenCountField(const std::string& key,
                      google::protobuf::Message& message);

// A number above 0, of at least 0, or from 0 to below 1 for a double field.
Field PositiveField(const std::string& key, google::protobuf::Message& message);
Field NonNegativeField(const std::string& key,
                       google::protobuf::Message& message);
Field ShareField(const std::string& key, google::protobuf::Message& message);

// true or false.
Field BooleanField(const std::string& key, google::protobuf::Message& message);

// One of an enumeration's names: "float32" for PRECISION_FLOAT32.
Field ChoiceField(const std::string& key, google::protobuf::Message& message);

// A list of an enumeration's names, each at most once.
Field ChoicesField(const std::string& key, google::protobuf::Message& message);

// A mapping, which `read` reads into the message that the field is.
template <typename Part>
Field PartField(const std::string& key, google::protobuf::Message& message,
                absl::Status (*read)(const Value& value, Part& part)) {
  return {key, [&message, key, read](const Value& value) {
            return read(value, dynamic_cast<Part&>(MutablePart(key, message)));
          }};
}

// A key whose value is read elsewhere.
Field FieldRead(const std::string& key);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_MESSAGE_FIELDS_H_

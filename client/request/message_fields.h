#ifndef MOEPROBE_CLIENT_REQUEST_MESSAGE_FIELDS_H_
#define MOEPROBE_CLIENT_REQUEST_MESSAGE_FIELDS_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <limits>
#include <string>

#include "client/request/value.h"

namespace moeprobe {

// Keys whose value goes into the field of the same name of a message, which
// must outlive the call that reads them.

// Text of at most `most_characters`.
Field TextField(const std::string& key, google::protobuf::Message& message,
                int64_t most_characters = 4096);

// An integer in [least, most] for an int32 or int64 field.
Field IntegerField(const std::string& key, google::protobuf::Message& message,
                   int64_t least,
                   int64_t most = std::numeric_limits<int64_t>::max());

// A number above 0 for a double field.
Field PositiveField(const std::string& key, google::protobuf::Message& message);

// true or false.
Field BooleanField(const std::string& key, google::protobuf::Message& message);

// One of an enumeration's names: "float32" for PRECISION_FLOAT32.
Field ChoiceField(const std::string& key, google::protobuf::Message& message);

// A list of an enumeration's names, each at most once.
Field ChoicesField(const std::string& key, google::protobuf::Message& message);

// A key that a later version will read.
Field UnsupportedField(const std::string& key);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_MESSAGE_FIELDS_H_

#ifndef MOEPROBE_SERVER_MESSAGE_DIGEST_H_
#define MOEPROBE_SERVER_MESSAGE_DIGEST_H_

#include <google/protobuf/message.h>

#include <string>

namespace moeprobe {

// Returns a digest of all that `message` says: equal messages have equal ones.
std::string DigestOf(const google::protobuf::Message& message);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_MESSAGE_DIGEST_H_

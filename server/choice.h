#ifndef MOEPROBE_SERVER_CHOICE_H_
#define MOEPROBE_SERVER_CHOICE_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/generated_enum_reflection.h>

#include <string>

#include "server/violations.h"

namespace moeprobe {

// Adds a violation under `field` if `value` is none of the enumeration's, or
// stands for "not set": "there is no value 9, expected float32 or bfloat16".
// Returns whether it is one.
bool CheckChoice(const google::protobuf::EnumDescriptor& choices, int value,
                 const std::string& field, Violations& violations);

template <typename Enum>
bool CheckChoice(Enum value, const std::string& field, Violations& violations) {
  return CheckChoice(*google::protobuf::GetEnumDescriptor<Enum>(),
                     static_cast<int>(value), field, violations);
}

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_CHOICE_H_

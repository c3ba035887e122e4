#ifndef MOEPROBE_SPEC_CHOICE_NAME_H_
#define MOEPROBE_SPEC_CHOICE_NAME_H_

#include <google/protobuf/descriptor.h>

#include <string>

namespace moeprobe {

// Returns the name that requests use for a value of an enumeration: "float32"
// for PRECISION_FLOAT32.
std::string ChoiceName(const google::protobuf::EnumValueDescriptor& value);

}  // namespace moeprobe

#endif  // MOEPROBE_SPEC_CHOICE_NAME_H_

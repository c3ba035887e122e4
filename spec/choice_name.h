#ifndef MOEPROBE_SPEC_CHOICE_NAME_H_
#define MOEPROBE_SPEC_CHOICE_NAME_H_

#include <google/protobuf/descriptor.h>

#include <string>

namespace moeprobe {

// Returns the name that requests use for a value of an enumeration: "float32"
// for PRECISION_FLOAT32. An underscore between digits, which names of protobuf
// have for it, is a decimal point: "normal_0.02" for
// INITIAL_WEIGHTS_NORMAL_0_02.
std::string ChoiceName(const google::protobuf::EnumValueDescriptor& value);

}  // namespace moeprobe

#endif  // MOEPROBE_SPEC_CHOICE_NAME_H_

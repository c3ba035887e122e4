#include "spec/choice_name.h"

#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"

namespace moeprobe {

std::string ChoiceName(const google::protobuf::EnumValueDescriptor& value) {
  constexpr std::string_view kUnset = "UNSPECIFIED";
  const size_t prefix = value.type()->value(0)->name().size() - kUnset.size();
  return absl::AsciiStrToLower(value.name().substr(prefix));
}

}  // namespace moeprobe

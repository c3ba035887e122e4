#include "spec/choice_name.h"

#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"

namespace moeprobe {
namespace {

bool IsDigit(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c));
}

}  // namespace

std::string ChoiceName(const google::protobuf::EnumValueDescriptor& value) {
  constexpr std::string_view kUnset = "UNSPECIFIED";
  const size_t prefix = value.type()->value(0)->name().size() - kUnset.size();
  std::string name = absl::AsciiStrToLower(value.name().substr(prefix));
  for (size_t i = 1; i + 1 < name.size(); ++i) {
    if (name[i] == '_' && IsDigit(name[i - 1]) && IsDigit(name[i + 1])) {
      name[i] = '.';
    }
  }
  return name;
}

}  // namespace moeprobe

#include "server/choice.h"

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/violations.h"
#include "spec/choice_name.h"

namespace moeprobe {
namespace {

// "a", "a or b", "a, b or c".
std::string Alternatives(const google::protobuf::EnumDescriptor& choices) {
  std::vector<std::string> names;
  for (int i = 1; i < choices.value_count(); ++i) {
    names.push_back(ChoiceName(*choices.value(i)));
  }
  const std::string last = names.back();
  names.pop_back();
  return names.empty() ? last
                       : absl::StrCat(absl::StrJoin(names, ", "), " or ", last);
}

}  // namespace

bool CheckChoice(const google::protobuf::EnumDescriptor& choices, int value,
                 const std::string& field, Violations& violations) {
  if (value != 0 && choices.FindValueByNumber(value) != nullptr) return true;
  violations.Add(field, absl::StrCat("there is no value ", value, ", expected ",
                                     Alternatives(choices)));
  return false;
}

}  // namespace moeprobe

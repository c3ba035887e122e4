#include "server/number_range.h"

#include <initializer_list>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/violations.h"

namespace moeprobe {

void CheckRanges(const std::string& message,
                 std::initializer_list<NumberRange> ranges,
                 Violations& violations) {
  for (const auto& [field, value, least, most] : ranges) {
    if (value >= least && value <= most) continue;
    violations.Add(absl::StrCat(message, ".", field),
                   absl::StrCat(value, " is out of range, expected ", least,
                                " to ", most));
  }
}

}  // namespace moeprobe

#include "server/label.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

constexpr size_t kMaxLength = 200;

// Characters of UTF-8, which protobuf has checked.
size_t CharacterCount(const std::string& text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

void CheckLabel(const std::string& label, Violations& violations) {
  const size_t length = CharacterCount(label);
  if (length > kMaxLength) {
    violations.Add(
        "name",
        absl::StrCat(length, " characters, expected at most ", kMaxLength));
  }
  if (std::ranges::any_of(label, absl::ascii_iscntrl)) {
    violations.Add("name",
                   absl::StrCat(Quoted(label), " has control characters"));
  }
}

}  // namespace moeprobe

#include "core/base/quoted.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace moeprobe {
namespace {

constexpr size_t kLongest = 200;

}  // namespace

std::string Quoted(std::string_view text) {
  const std::string_view shown = text.substr(0, kLongest);
  return absl::StrCat(
      "\"", absl::CHexEscape(absl::string_view(shown.data(), shown.size())),
      shown.size() < text.size() ? "..." : "", "\"");
}

}  // namespace moeprobe

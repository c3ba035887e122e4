#include "server/page.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

constexpr int kDefaultPageSize = 50;
constexpr int kMaxPageSize = 1000;

absl::Status NotOurs(const std::string& token) {
  return absl::InvalidArgumentError(
      absl::StrCat("page_token: ", Quoted(token),
                   " is not the next_page_token of this method"));
}

}  // namespace

absl::StatusOr<int> PageSize(int32_t page_size) {
  if (page_size < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "page_size: ", page_size, " is negative, expected 0 to 1000"));
  }
  if (page_size == 0) return kDefaultPageSize;
  return std::min<int>(page_size, kMaxPageSize);
}

std::string PageToken(const std::string& method, const std::string& key) {
  return absl::WebSafeBase64Escape(absl::StrCat(method, "\n", key));
}

absl::StatusOr<std::string> ParsePageToken(const std::string& method,
                                           const std::string& token) {
  if (token.empty()) return "";
  std::string text;
  if (!absl::WebSafeBase64Unescape(token, &text)) return NotOurs(token);
  absl::string_view key = text;
  if (!absl::ConsumePrefix(&key, absl::StrCat(method, "\n"))) {
    return NotOurs(token);
  }
  return std::string(key);
}

absl::StatusOr<int64_t> ParsePageTokenNumber(const std::string& method,
                                             const std::string& token) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string key,
                            ParsePageToken(method, token));
  if (token.empty()) return std::numeric_limits<int64_t>::max();
  int64_t number = 0;
  if (!absl::SimpleAtoi(key, &number)) return NotOurs(token);
  return number;
}

}  // namespace moeprobe

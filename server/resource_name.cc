#include "server/resource_name.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "core/base/quoted.h"
#include "server/access/user_name.h"

namespace moeprobe {
namespace {

constexpr const char* kJobs = "jobs/";
constexpr const char* kDatasets = "datasets/";
constexpr const char* kUsers = "users/";

bool IsDigit(char c) { return absl::ascii_isdigit(c); }

bool IsLowerHexadecimal(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }

}  // namespace

std::string JobName(int64_t id) { return absl::StrCat(kJobs, id); }

absl::StatusOr<int64_t> ParseJobName(const std::string& name) {
  absl::string_view text = name;
  int64_t id = 0;
  if (!absl::ConsumePrefix(&text, kJobs) ||
      !std::ranges::all_of(text, IsDigit) || !absl::SimpleAtoi(text, &id) ||
      id < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "name: ", Quoted(name), " is no job, expected jobs/{number}"));
  }
  return id;
}

std::string DatasetName(const std::string& sha256) {
  return absl::StrCat(kDatasets, sha256);
}

absl::StatusOr<std::string> ParseDatasetName(const std::string& name) {
  absl::string_view text = name;
  const bool prefixed = absl::ConsumePrefix(&text, kDatasets);
  std::string sha256(text);
  if (!prefixed || !IsSha256(sha256)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "name: ", Quoted(name), " is no data set, expected datasets/{sha256}"));
  }
  return sha256;
}

std::string UserName(const std::string& user) {
  return absl::StrCat(kUsers, user);
}

absl::StatusOr<std::string> ParseUserName(const std::string& name) {
  absl::string_view text = name;
  const bool prefixed = absl::ConsumePrefix(&text, kUsers);
  std::string user(text);
  if (!prefixed || !IsUserName(user)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "name: ", Quoted(name),
        " is no user, expected users/{user}, {user} of 1 to 64 letters, "
        "digits, - _ and ., the first a letter or digit"));
  }
  return user;
}

bool IsSha256(const std::string& text) {
  return text.size() == 64 && std::ranges::all_of(text, IsLowerHexadecimal);
}

bool IsUuid(const std::string& text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !absl::ascii_isxdigit(text[i])) return false;
  }
  return true;
}

}  // namespace moeprobe

#include "server/access/user_name.h"

#include <pwd.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"

namespace moeprobe {
namespace {

constexpr size_t kMostBytes = 64;
constexpr size_t kRecordBytes = 16384;
// Of names that are made of user ids.
constexpr const char* kUidPrefix = "uid-";

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
}

}  // namespace

bool IsUserName(const std::string& name) {
  return !name.empty() && name.size() <= kMostBytes &&
         absl::ascii_isalnum(name[0]) &&
         std::ranges::all_of(name, IsNameCharacter);
}

absl::Status CheckNewUserName(const std::string& name) {
  if (!IsUserName(name)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "user ", Quoted(name), ": expected 1 to ", kMostBytes,
        " letters, digits, - _ and ., the first a letter or digit"));
  }
  if (absl::StartsWith(name, kUidPrefix)) {
    return absl::InvalidArgumentError(
        absl::StrCat("user ", Quoted(name), ": names that start with ",
                     kUidPrefix, " are those of user ids without an account"));
  }
  return absl::OkStatus();
}

std::string UserOfUid(uid_t uid) {
  passwd record{};
  passwd* found = nullptr;
  std::array<char, kRecordBytes> buffer{};
  if (getpwuid_r(uid, &record, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr && CheckNewUserName(found->pw_name).ok()) {
    return found->pw_name;
  }
  return absl::StrCat(kUidPrefix, uid);
}

}  // namespace moeprobe

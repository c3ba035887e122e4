#include "server/access/user_name.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_descriptor.h"
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

// 0 if nothing prevents it. Where no file opens, a look-up finds nobody: the
// last source of names does not know the accounts of one that cannot be read.
int WhyNoFileOpens() {
  const FileDescriptor file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  return file.number() < 0 ? errno : 0;
}

// Whether it is this process that has too little.
bool LacksResources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM;
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

absl::StatusOr<std::string> UserOfUid(uid_t uid) {
  passwd record{};
  passwd* found = nullptr;
  std::array<char, kRecordBytes> buffer{};
  // Some sources of names fail without saying why.
  errno = EIO;
  int error = getpwuid_r(uid, &record, buffer.data(), buffer.size(), &found);
  if (error == 0 && found == nullptr) error = WhyNoFileOpens();
  // Whatever POSIX lets other errors mean: to the GNU C library ENOENT, as of a
  // name service whose socket is not there, is a source that did not answer.
  if (error != 0) {
    return absl::Status(
        LacksResources(error) ? absl::StatusCode::kResourceExhausted
                              : absl::StatusCode::kUnavailable,
        absl::StrCat("user id ", uid, ": its account cannot be looked up: ",
                     std::generic_category().message(error)));
  }
  if (found != nullptr && CheckNewUserName(found->pw_name).ok()) {
    return found->pw_name;
  }
  return absl::StrCat(kUidPrefix, uid);
}

}  // namespace moeprobe

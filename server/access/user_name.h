#ifndef MOEPROBE_SERVER_ACCESS_USER_NAME_H_
#define MOEPROBE_SERVER_ACCESS_USER_NAME_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moeprobe {

// Whether `name` can be a user's: 1 to 64 letters, digits, "-", "_" and ".",
// the first a letter or digit.
bool IsUserName(const std::string& name);

// InvalidArgument if it cannot be the name of a user who is made known: it is
// no name, or is kept for user ids without one.
absl::Status CheckNewUserName(const std::string& name);

// Returns the name of the account with this user id, or "uid-{uid}" where there
// is none or its name cannot be a user's. ResourceExhausted where the system
// cannot say for want of descriptors, Unavailable where it cannot otherwise, as
// for want of a name service: that is no reason to take somebody for somebody
// else. Where several sources of names are asked in turn, the system says what
// the last one that it asked says. May take as long as a name service does.
absl::StatusOr<std::string> UserOfUid(uid_t uid);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ACCESS_USER_NAME_H_

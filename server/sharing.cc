#include "server/sharing.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"
#include "moeprobe/v1/access.pb.h"
#include "server/access/user_name.h"
#include "server/choice.h"
#include "server/violations.h"
#include "storage/access.h"

namespace moeprobe {
namespace {

constexpr int kMostReaders = 64;

void CheckReaders(const Sharing& sharing, Violations& violations) {
  if (sharing.shared_with.size() > kMostReaders) {
    violations.Add("shared_with",
                   absl::StrCat(sharing.shared_with.size(),
                                " users, expected at most ", kMostReaders));
  }
  std::set<std::string> seen;
  for (int i = 0; i < sharing.shared_with.size(); ++i) {
    const std::string& name = sharing.shared_with[i];
    const std::string field = absl::StrCat("shared_with[", i, "]");
    if (!IsUserName(name)) {
      violations.Add(field, absl::StrCat(Quoted(name), " is no user's name"));
    } else if (!seen.insert(name).second) {
      violations.Add(field, absl::StrCat(name, " stands there twice"));
    }
  }
}

}  // namespace

Access ResolveSharing(const std::string& owner, const Sharing& sharing,
                      v1::Visibility default_visibility,
                      Violations& violations) {
  CheckReaders(sharing, violations);
  v1::Visibility visibility = sharing.visibility;
  if (visibility != v1::VISIBILITY_UNSPECIFIED) {
    CheckChoice(visibility, "visibility", violations);
  }
  if (visibility == v1::VISIBILITY_LAB && !sharing.shared_with.empty()) {
    violations.Add("shared_with",
                   "has no meaning where everybody may see it (visibility: "
                   "lab)");
  }
  if (visibility == v1::VISIBILITY_UNSPECIFIED) {
    visibility = sharing.shared_with.empty() ? default_visibility
                                             : v1::VISIBILITY_PRIVATE;
  }
  return {.owner = owner,
          .is_private = visibility == v1::VISIBILITY_PRIVATE,
          .readers = {sharing.shared_with.begin(), sharing.shared_with.end()}};
}

}  // namespace moeprobe

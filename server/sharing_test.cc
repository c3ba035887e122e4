#include "server/sharing.h"

#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/access.pb.h"
#include "server/violations.h"
#include "storage/access.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Sharing Shared(v1::Visibility visibility,
               std::initializer_list<const char*> names) {
  Sharing sharing{.visibility = visibility, .shared_with = {}};
  for (const char* name : names) sharing.shared_with.Add(name);
  return sharing;
}

Access Resolve(const Sharing& sharing,
               v1::Visibility by_default = v1::VISIBILITY_LAB) {
  Violations violations;
  Access access = ResolveSharing("alice", sharing, by_default, violations);
  EXPECT_TRUE(violations.empty()) << violations.ToStatus();
  return access;
}

std::vector<std::string> Fields(const Sharing& sharing) {
  Violations violations;
  ResolveSharing("alice", sharing, v1::VISIBILITY_LAB, violations);
  std::vector<std::string> fields;
  for (const auto& violation : violations.list()) {
    fields.push_back(violation.field);
  }
  return fields;
}

TEST(SharingTest, DoesWhatIsSaid) {
  EXPECT_FALSE(Resolve(Shared(v1::VISIBILITY_LAB, {}), v1::VISIBILITY_PRIVATE)
                   .is_private);
  const Access access = Resolve(Shared(v1::VISIBILITY_PRIVATE, {"bob"}));
  EXPECT_EQ(access.owner, "alice");
  EXPECT_TRUE(access.is_private);
  EXPECT_THAT(access.readers, ElementsAre("bob"));
}

TEST(SharingTest, TakesTheServersDefault) {
  EXPECT_FALSE(Resolve({}, v1::VISIBILITY_LAB).is_private);
  EXPECT_TRUE(Resolve({}, v1::VISIBILITY_PRIVATE).is_private);
}

TEST(SharingTest, KeepsWhatIsSharedFromOthers) {
  EXPECT_TRUE(Resolve(Shared(v1::VISIBILITY_UNSPECIFIED, {"bob"})).is_private);
}

TEST(SharingTest, NamesWhatIsWrong) {
  EXPECT_THAT(Fields(Shared(v1::VISIBILITY_LAB, {"bob"})),
              ElementsAre("shared_with"));
  EXPECT_THAT(Fields(Shared(v1::VISIBILITY_PRIVATE, {"bob", "a b", "bob"})),
              ElementsAre("shared_with[1]", "shared_with[2]"));
  EXPECT_THAT(Fields(Shared(static_cast<v1::Visibility>(9), {})),
              ElementsAre("visibility"));
}

TEST(SharingTest, BoundsTheReaders) {
  Sharing sharing = Shared(v1::VISIBILITY_PRIVATE, {});
  for (int i = 0; i < 64; ++i) sharing.shared_with.Add(absl::StrCat("u", i));
  EXPECT_THAT(Fields(sharing), IsEmpty());
  sharing.shared_with.Add("last");
  EXPECT_THAT(Fields(sharing), ElementsAre("shared_with"));
}

}  // namespace
}  // namespace moeprobe

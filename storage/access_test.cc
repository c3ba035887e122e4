#include "storage/access.h"

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

const Viewer kOwner{.name = "alice"};
const Viewer kOther{.name = "bob"};
const Viewer kReader{.name = "carol"};
const Viewer kAdmin{.name = "dave", .is_admin = true};

TEST(AccessTest, EverybodySeesWhatIsNotPrivate) {
  const Access access{.owner = "alice"};
  for (const Viewer& viewer : {kOwner, kOther, kReader, kAdmin}) {
    EXPECT_TRUE(MayRead(viewer, access)) << viewer.name;
  }
}

TEST(AccessTest, OwnerReadersAndAdminsSeeWhatIsPrivate) {
  const Access access{
      .owner = "alice", .is_private = true, .readers = {"carol"}};
  EXPECT_TRUE(MayRead(kOwner, access));
  EXPECT_TRUE(MayRead(kReader, access));
  EXPECT_TRUE(MayRead(kAdmin, access));
  EXPECT_FALSE(MayRead(kOther, access));
}

TEST(AccessTest, OwnerAndAdminsAloneChange) {
  const Access access{.owner = "alice", .readers = {"carol"}};
  EXPECT_TRUE(MayChange(kOwner, access));
  EXPECT_TRUE(MayChange(kAdmin, access));
  EXPECT_FALSE(MayChange(kReader, access));
  EXPECT_FALSE(MayChange(kOther, access));
}

}  // namespace
}  // namespace moeprobe

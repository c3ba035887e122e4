#include "core/plan/hidden_state_key.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/base/bounded_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

HiddenStateFields Fields() {
  return {.stamp = "s",
          .config_sha256 = "c",
          .data_fingerprint = "d",
          .bfloat16 = false,
          .threads = 2,
          .libtorch_version = "2.13"};
}

TEST(HiddenStateKeyTest, DependsOnEveryField) {
  std::vector<HiddenStateFields> all(8, Fields());
  all[1].stamp = "another";
  all[2].config_sha256 = "another";
  all[3].data_fingerprint = "another";
  all[4].bfloat16 = true;
  all[5].threads = 3;
  all[6].libtorch_version = "another";
  all[7].routing = ForwardRouting{.per_token = 2};
  std::set<std::string> keys;
  for (const HiddenStateFields& fields : all) {
    keys.insert(HiddenStateKey(fields));
  }
  EXPECT_EQ(keys.size(), all.size());
  EXPECT_EQ(HiddenStateKey(Fields()), HiddenStateKey(Fields()));
}

TEST(HiddenStateKeyTest, FindsTheLayersOfAKey) {
  const TemporaryDirectory parent;
  const BoundedDirectory directory(parent.path(), 100);
  EXPECT_THAT(LayersStored(directory, "key"), IsEmpty());
  for (const std::string& name :
       {HiddenStateName("key", 12), HiddenStateName("key", 3),
        HiddenStateName("other", 4), std::string("key-x")}) {
    ASSERT_TRUE(directory.Put(name, {"x"}).ok());
  }
  EXPECT_THAT(LayersStored(directory, "key"), ElementsAre(3, 12));
}

}  // namespace
}  // namespace moeprobe

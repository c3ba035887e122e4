#include "storage/pin_store.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/database.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(PinStoreTest, KeepsPinsUntilTheyAreRemoved) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "moeprobe.db";
  auto database = *Database::Open(file);
  auto store = std::make_unique<PinStore>(database.get());
  const auto names = [&] {
    std::vector<std::string> found;
    const auto pins = store->All();
    EXPECT_TRUE(pins.ok()) << pins.status();
    for (const ModelPin& pin : *pins) {
      found.push_back(pin.model + " by " + pin.user);
    }
    return found;
  };
  EXPECT_THAT(names(), IsEmpty());
  const absl::Time time = absl::FromUnixSeconds(1'700'000'000);
  ASSERT_TRUE(store->Put({.model = "b", .user = "alice", .time = time}).ok());
  ASSERT_TRUE(store->Put({.model = "a", .user = "alice", .time = time}).ok());
  ASSERT_TRUE(store->Put({.model = "b", .user = "bob", .time = time}).ok());
  store.reset();
  database.reset();
  database = *Database::Open(file);
  store = std::make_unique<PinStore>(database.get());
  EXPECT_THAT(names(), ElementsAre("a by alice", "b by bob"));
  EXPECT_EQ(store->All()->front().time, time);
  ASSERT_TRUE(store->Remove("a").ok());
  ASSERT_TRUE(store->Remove("a").ok());
  EXPECT_THAT(names(), ElementsAre("b by bob"));
}

}  // namespace
}  // namespace moeprobe

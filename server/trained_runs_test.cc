#include "server/trained_runs.h"

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

using testing::IsEmpty;
using testing::UnorderedElementsAre;

class TrainedRunsTest : public testing::Test {
 protected:
  void MakeRun(const fs::path& name) {
    fs::create_directories(directory_.path() / name / "step-0");
  }

  TemporaryDirectory directory_;
  TrainedRuns runs_{directory_.path()};
};

TEST_F(TrainedRunsTest, GiveTheirNamesUpAtOnce) {
  MakeRun("a");
  const auto aside = runs_.SetAside("a");
  ASSERT_TRUE(aside.ok()) << aside.status();
  EXPECT_FALSE(fs::exists(runs_.PathOf("a")));
  MakeRun("a");
  ASSERT_TRUE(runs_.Remove(*aside).ok());
  EXPECT_THAT(*runs_.Names(), UnorderedElementsAre("a"));
}

TEST_F(TrainedRunsTest, StayAsideWhereTheyAre) {
  MakeRun("a");
  const auto aside = runs_.SetAside("a");
  EXPECT_EQ(*runs_.SetAside(*aside), *aside);
  EXPECT_TRUE(fs::exists(runs_.PathOf(*aside)));
  ASSERT_TRUE(runs_.Remove(*aside).ok());
  EXPECT_THAT(*runs_.Names(), IsEmpty());
}

TEST_F(TrainedRunsTest, AreNotMissed) {
  EXPECT_TRUE(runs_.SetAside("a").ok());
  EXPECT_EQ(runs_.BytesOf("a"), 0);
}

}  // namespace
}  // namespace moeprobe

#include "core/base/memory_limit.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "core/base/machine_memory.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

class MemoryLimitTest : public testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = directory_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  MemoryLimit Find() { return FindMemoryLimit(directory_.path()); }

  TemporaryDirectory directory_;
};

TEST_F(MemoryLimitTest, IsTheMachinesWhereThereAreNoGroups) {
  EXPECT_EQ(Find().bytes, MachineMemoryBytes());
  EXPECT_EQ(Find().origin, "what the machine has");
}

TEST_F(MemoryLimitTest, IsThatOfTheGroupOrOfOneAroundIt) {
  Write("proc/self/cgroup", "0::/lab/probe\n");
  Write("sys/fs/cgroup/lab/probe/memory.max", "max\n");
  EXPECT_EQ(Find().bytes, MachineMemoryBytes());
  Write("sys/fs/cgroup/lab/memory.max", "2000000\n");
  EXPECT_EQ(Find().bytes, 2'000'000);
  EXPECT_EQ(Find().origin, "what control group /lab may have");
  Write("sys/fs/cgroup/lab/probe/memory.max", "1000000\n");
  EXPECT_EQ(Find().bytes, 1'000'000);
}

TEST_F(MemoryLimitTest, KnowsTheFirstVersionOfGroups) {
  Write("proc/self/cgroup", "5:cpu:/a\n4:memory:/lab\n0::/\n");
  // What it says where there is no limit.
  Write("sys/fs/cgroup/memory/lab/memory.limit_in_bytes",
        "9223372036854771712\n");
  EXPECT_EQ(Find().bytes, MachineMemoryBytes());
  Write("sys/fs/cgroup/memory/lab/memory.limit_in_bytes", "1000000\n");
  EXPECT_EQ(Find().bytes, 1'000'000);
}

TEST_F(MemoryLimitTest, IgnoresWhatItCannotRead) {
  Write("proc/self/cgroup", "\n0\n0::\n::::\n0::/../../x\n");
  Write("sys/fs/cgroup/memory.max", "-7\n");
  EXPECT_EQ(Find().bytes, MachineMemoryBytes());
}

TEST_F(MemoryLimitTest, IsPositiveHere) {
  EXPECT_GT(FindMemoryLimit().bytes, 0);
}

}  // namespace
}  // namespace moeprobe

#include "server/access/new_file.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "core/base/file_content.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

class NewFileTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "key";
};

TEST_F(NewFileTest, IsForItsOwnerAlone) {
  ASSERT_TRUE(WriteNewFile(path_, "secret").ok());
  EXPECT_EQ(ReadFile(path_, 100)->bytes, "secret");
  struct stat information{};
  ASSERT_EQ(stat(path_.c_str(), &information), 0);
  EXPECT_EQ(information.st_mode & ALLPERMS, S_IRUSR | S_IWUSR);
  EXPECT_EQ(directory_.FileCount(), 1);
}

TEST_F(NewFileTest, LeavesAloneWhatIsThere) {
  std::ofstream(path_) << "precious";
  EXPECT_TRUE(absl::IsAlreadyExists(WriteNewFile(path_, "secret")));
  EXPECT_EQ(ReadFile(path_, 100)->bytes, "precious");
  EXPECT_EQ(directory_.FileCount(), 1);
}

TEST_F(NewFileTest, ReplacesWhatAKilledProcessLeft) {
  std::ofstream(path_.native() + ".partial") << "half of a longer secret";
  ASSERT_TRUE(WriteNewFile(path_, "secret").ok());
  EXPECT_EQ(ReadFile(path_, 100)->bytes, "secret");
  EXPECT_EQ(directory_.FileCount(), 1);
}

// The first part of it still fits.
TEST_F(NewFileTest, SaysThatTheDiskIsFullAndLeavesNothing) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = WriteNewFile(path_, std::string(5000, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(directory_.FileCount(), 0);
}

}  // namespace
}  // namespace moeprobe

#include "core/base/whole_file.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "core/base/file_content.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

class WholeFileTest : public testing::Test {
 protected:
  std::string Content() const { return ReadFile(path_, 1 << 20).value().bytes; }

  TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "file";
};

TEST_F(WholeFileTest, HoldsItsPiecesInOrder) {
  ASSERT_EQ(WriteWholeFile(path_, {"one ", "", "two"}), absl::OkStatus());
  EXPECT_EQ(Content(), "one two");
}

TEST_F(WholeFileTest, ReplacesWhatWasThere) {
  ASSERT_EQ(WriteWholeFile(path_, {"longer than the next"}), absl::OkStatus());
  ASSERT_EQ(WriteWholeFile(path_, {"next"}), absl::OkStatus());
  EXPECT_EQ(Content(), "next");
  EXPECT_FALSE(std::filesystem::exists(path_.native() + ".partial"));
}

TEST_F(WholeFileTest, MayBeEmpty) {
  ASSERT_EQ(WriteWholeFile(path_, {}), absl::OkStatus());
  EXPECT_EQ(Content(), "");
}

TEST_F(WholeFileTest, OverwritesWhatAWriterLeftThatDied) {
  ASSERT_EQ(WriteWholeFile(path_.native() + ".partial", {"long, long garbage"}),
            absl::OkStatus());
  ASSERT_EQ(WriteWholeFile(path_, {"good"}), absl::OkStatus());
  EXPECT_EQ(Content(), "good");
}

TEST_F(WholeFileTest, NamesADirectoryThatIsNotThere) {
  const auto path = directory_.path() / "none" / "file";
  const absl::Status status = WriteWholeFile(path, {"x"});
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr(path.native()));
}

// A limit on the size of files stands for a full disk.
TEST_F(WholeFileTest, KeepsWhatWasThereWhereTheDiskIsFull) {
  ASSERT_EQ(WriteWholeFile(path_, {"old"}), absl::OkStatus());
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit tight{.rlim_cur = 8, .rlim_max = before.rlim_max};
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &tight);
  const absl::Status status = WriteWholeFile(path_, {"more than eight bytes"});
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(Content(), "old");
}

}  // namespace
}  // namespace moeprobe

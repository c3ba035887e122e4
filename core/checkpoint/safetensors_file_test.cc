#include "core/checkpoint/safetensors_file.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/safetensors_bytes.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

// What the kernel has mapped of a file for this process, as it says; "" if it
// does not say.
std::string ResidentOf(const fs::path& file) {
  std::ifstream maps("/proc/self/smaps");
  bool is_of_file = false;
  for (std::string line; std::getline(maps, line);) {
    if (absl::StrContains(line, file.native())) is_of_file = true;
    if (is_of_file && line.starts_with("Rss:")) return line;
  }
  return "";
}

class SafetensorsFileTest : public testing::Test {
 protected:
  SafetensorsFileTest() { WriteBytes(file_, bytes_); }

  TemporaryDirectory directory_;
  fs::path file_ = fs::canonical(directory_.path()) / "model.safetensors";
  std::string bytes_ = SafetensorsBytes({{.name = "a",
                                          .dtype = "U8",
                                          .shape = {1'000},
                                          .bytes = std::string(1'000, 'x')}});
};

TEST_F(SafetensorsFileTest, NamesTheFileThatIsWrong) {
  WriteBytes(file_, bytes_.substr(0, bytes_.size() - 1));
  const absl::Status status = SafetensorsFile::Open(file_).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(file_.native() + ": "),
                    HasSubstr("accounts for 1000 bytes of data, found 999")));
}

// A page that cannot be read, or is cut off, kills who touches it.
TEST_F(SafetensorsFileTest, TouchesNoPageOfItsMapping) {
  const auto file = SafetensorsFile::Open(file_);
  ASSERT_TRUE(file.ok()) << file.status();
  const std::string resident = ResidentOf(file_);
  if (resident.empty()) GTEST_SKIP() << "the kernel does not tell";
  EXPECT_THAT(resident, HasSubstr(" 0 kB"));
  EXPECT_EQ(static_cast<char>(file->BytesOf(file->tensors()[0])[0]), 'x');
  EXPECT_THAT(ResidentOf(file_), Not(HasSubstr(" 0 kB")));
}

TEST_F(SafetensorsFileTest, GivesAnErrorForAFileThatIsCutMeanwhile) {
  std::atomic<bool> done = false;
  std::thread cutter([&] {
    while (!done) {
      fs::resize_file(file_, 0);
      WriteBytes(file_, bytes_);
    }
  });
  for (int i = 0; i < 20'000; ++i) {
    const absl::Status status = SafetensorsFile::Open(file_).status();
    EXPECT_TRUE(status.ok() || absl::IsDataLoss(status) ||
                absl::IsAborted(status))
        << status;
  }
  done = true;
  cutter.join();
}

}  // namespace
}  // namespace moeprobe

#include "server/model_files.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
using testing::Optional;

constexpr int64_t kBytes = int64_t{3} << 20;

bool Always() { return true; }

// What the safetensors files hold is nobody's business here.
class ModelFilesTest : public testing::Test {
 protected:
  ModelFilesTest() {
    std::filesystem::create_directories(directory_);
    Write("model-1.safetensors", kBytes);
    Write("model-2.safetensors", 0);
    std::ofstream(directory_ / "model.safetensors.index.json")
        << R"({"weight_map": {"a": "model-1.safetensors",
                              "b": "model-2.safetensors"}})";
  }

  void Write(const std::string& name, int64_t bytes) {
    std::ofstream file(directory_ / name);
    file << std::string(static_cast<size_t>(bytes), 'x');
    file.close();
    sync();  // only what is on the disk can be dropped
  }

  ModelFiles Open() { return *ModelFiles::Open(directory_, root_.path()); }

  // Whether the kernel lets go of pages here, and says so.
  bool CanDrop() { return Open().Drop().ok() && Open().ResidentBytes() == 0; }

  TemporaryDirectory root_;
  std::filesystem::path directory_ = root_.path() / "model";
};

TEST_F(ModelFilesTest, AreThoseOfTheIndexOrTheOnlyOne) {
  EXPECT_EQ(Open().size_bytes(), kBytes);
  Write("model.safetensors", 7);
  EXPECT_EQ(Open().size_bytes(), 7);
}

TEST_F(ModelFilesTest, AreReadAndDropped) {
  if (!CanDrop()) GTEST_SKIP() << "this file system keeps its pages";
  const ModelFiles files = Open();
  EXPECT_THAT(files.ResidentBytes(), Optional(0));
  ASSERT_TRUE(files.Read(Always).ok());
  EXPECT_THAT(files.ResidentBytes(), Optional(kBytes));
  ASSERT_TRUE(files.Drop().ok());
  EXPECT_THAT(files.ResidentBytes(), Optional(0));
}

TEST_F(ModelFilesTest, StopWhenTheyAreToldTo) {
  if (!CanDrop()) GTEST_SKIP() << "this file system keeps its pages";
  const ModelFiles files = Open();
  ASSERT_TRUE(files.Read([] { return false; }).ok());
  EXPECT_THAT(files.ResidentBytes(), Optional(0));
}

TEST_F(ModelFilesTest, StayWhileTheyAreLocked) {
  if (!CanDrop()) GTEST_SKIP() << "this file system keeps its pages";
  std::optional<ModelFiles> files = Open();
  const absl::Status locked = files->Lock();
  if (absl::IsFailedPrecondition(locked)) GTEST_SKIP() << locked;
  ASSERT_TRUE(locked.ok()) << locked;
  EXPECT_THAT(files->ResidentBytes(), Optional(0));
  ASSERT_TRUE(files->ReadLocked(Always).ok());
  EXPECT_THAT(files->ResidentBytes(), Optional(kBytes));
  ASSERT_TRUE(Open().Drop().ok());
  EXPECT_THAT(files->ResidentBytes(), Optional(kBytes));
  files.reset();
  ASSERT_TRUE(Open().Drop().ok());
  EXPECT_THAT(Open().ResidentBytes(), Optional(0));
}

// A file that is cut while it is locked is an error, and ends no process.
TEST_F(ModelFilesTest, MayBeCutWhileTheyAreLocked) {
  const ModelFiles files = Open();
  const absl::Status locked = files.Lock();
  if (absl::IsFailedPrecondition(locked)) GTEST_SKIP() << locked;
  std::filesystem::resize_file(directory_ / "model-1.safetensors", 1);
  EXPECT_FALSE(files.ReadLocked(Always).ok());
  EXPECT_TRUE(files.Read(Always).ok());
}

TEST_F(ModelFilesTest, SayWhatToDoWhereNothingMayBeLocked) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &before), 0);
  const rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &none), 0);
  const absl::Status locked = Open().Lock();
  ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &before), 0);
  if (locked.ok()) GTEST_SKIP() << "this account may lock what it likes";
  EXPECT_EQ(locked.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(locked.message()), HasSubstr("LimitMEMLOCK"));
}

TEST_F(ModelFilesTest, AreNoneWithoutADirectoryOrWeights) {
  EXPECT_EQ(ModelFiles::Open(root_.path() / "no", root_.path()).status().code(),
            absl::StatusCode::kNotFound);
  std::filesystem::remove(directory_ / "model.safetensors.index.json");
  EXPECT_EQ(ModelFiles::Open(directory_, root_.path()).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ModelFilesTest, LeadNowhereOutside) {
  std::filesystem::create_symlink("/etc/passwd",
                                  directory_ / "model.safetensors");
  EXPECT_EQ(ModelFiles::Open(directory_, root_.path()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace moeprobe

#include "core/model/hidden_state_spill.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>

#include <filesystem>
#include <fstream>
#include <ios>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

class HiddenStateSpillTest : public testing::Test {
 protected:
  HiddenStateSpillTest()
      : directory_(
            std::filesystem::path(testing::TempDir()) /
            testing::UnitTest::GetInstance()->current_test_info()->name()),
        spill_(directory_, "key") {
    std::filesystem::remove_all(directory_);
    state_ = {
        .next_layer = 3, .fingerprint = "abc", .residual = at::randn({40, 6})};
  }

  std::filesystem::path directory_;
  HiddenStateSpill spill_;
  HiddenState state_;
};

TEST_F(HiddenStateSpillTest, ReadsBackWhatWasWritten) {
  ASSERT_TRUE(spill_.Write(state_).ok());
  const std::optional<HiddenState> read = spill_.Read();
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->next_layer, 3);
  EXPECT_EQ(read->fingerprint, "abc");
  EXPECT_TRUE(read->residual.equal(state_.residual));
}

TEST_F(HiddenStateSpillTest, HasNothingBeforeTheFirstWrite) {
  EXPECT_FALSE(spill_.Read().has_value());
}

TEST_F(HiddenStateSpillTest, IgnoresAnotherKey) {
  ASSERT_TRUE(spill_.Write(state_).ok());
  EXPECT_FALSE(HiddenStateSpill(directory_, "other").Read().has_value());
}

TEST_F(HiddenStateSpillTest, IgnoresDamage) {
  ASSERT_TRUE(spill_.Write(state_).ok());
  const std::filesystem::path file = directory_ / "hidden_state";
  const auto size = std::filesystem::file_size(file);
  std::filesystem::resize_file(file, size - 1);
  EXPECT_FALSE(spill_.Read().has_value());
  ASSERT_TRUE(spill_.Write(state_).ok());
  {
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(static_cast<std::streamoff>(size) - 5);
    stream.put('x');
  }
  EXPECT_FALSE(spill_.Read().has_value());
}

TEST_F(HiddenStateSpillTest, SaysWhereItCannotWrite) {
  const HiddenStateSpill full("/dev/full/nowhere", "key");
  const absl::Status status = full.Write(state_);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("/dev/full"), std::string::npos) << status;
}

}  // namespace
}  // namespace moeprobe

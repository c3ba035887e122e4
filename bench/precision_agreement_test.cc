#include "bench/precision_agreement.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_content.h"
#include "core/base/npy.h"
#include "core/checkpoint/checkpoint.h"

namespace moeprobe {
namespace {

constexpr const char* kFixtures = MOEPROBE_FIXTURES;
constexpr int64_t kSequenceLength = 64;
constexpr int64_t kMaxIdBytes = 1 << 20;

at::Tensor IdsOf(const std::filesystem::path& model) {
  const auto file = ReadFile(model / "ids.npy", kMaxIdBytes);
  EXPECT_TRUE(file.ok()) << file.status();
  const auto ids = DecodeTokenIds(file->bytes);
  EXPECT_TRUE(ids.ok()) << ids.status();
  return at::tensor(*ids, at::kInt).to(at::kLong);
}

absl::StatusOr<PrecisionAgreement> Compare(const std::string& fixture) {
  const std::filesystem::path model =
      std::filesystem::path(kFixtures) / fixture;
  const auto checkpoint = Checkpoint::Open(model);
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
  return ComparePrecisions(**checkpoint, IdsOf(model), kSequenceLength);
}

TEST(PrecisionAgreementTest, StaysWithinWhatIsPromised) {
  const auto agreement = Compare("mixtral");
  ASSERT_TRUE(agreement.ok()) << agreement.status();
  EXPECT_GE(agreement->chosen, 0.97);
  EXPECT_LT(agreement->chosen, 1);  // random experts: some choices are close
  EXPECT_NEAR(agreement->bfloat16_nll, agreement->float32_nll, 0.01);
  EXPECT_NE(agreement->bfloat16_nll, agreement->float32_nll);
}

TEST(PrecisionAgreementTest, NeedsAnMoeLayer) {
  EXPECT_TRUE(absl::IsFailedPrecondition(Compare("llama-biased").status()));
}

}  // namespace
}  // namespace moeprobe

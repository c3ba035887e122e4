#include "core/plan/decoder_shape.h"

#include <cstdint>
#include <cstdlib>

#include "absl/status/status.h"
#include "core/checkpoint/model_config.h"
#include "core/train/parameters.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

DecoderShape Small(ExpertKind kind) {
  return {.layers = 2,
          .width = 8,
          .heads = 2,
          .context = 5,
          .vocabulary = 11,
          .experts = 4,
          .expert_width = 6,
          .expert = kind};
}

int64_t AllocatedCount(const DecoderShape& shape) {
  int64_t count = 0;
  for (const at::Tensor& tensor : ParameterTensors(AllocateParameters(shape))) {
    count += tensor.numel();
  }
  return count;
}

TEST(DecoderShapeTest, CountsWhatIsAllocated) {
  for (const ExpertKind kind : {ExpertKind::kGeluMlp, ExpertKind::kGatedMlp}) {
    DecoderShape shape = Small(kind);
    EXPECT_EQ(ParameterCount(shape), AllocatedCount(shape));
    shape.experts = 0;
    EXPECT_EQ(ParameterCount(shape), AllocatedCount(shape));
  }
}

TEST(DecoderShapeTest, CountsWhatIsAllocatedWithoutAttention) {
  for (const ExpertKind kind : {ExpertKind::kGeluMlp, ExpertKind::kGatedMlp}) {
    DecoderShape shape = Small(kind);
    shape.layers = 1;
    shape.outputs = 3;
    EXPECT_EQ(ParameterCount(shape), AllocatedCount(shape));
    EXPECT_EQ(StoredNumberCount(shape), AllocatedCount(shape) + 11 * 8);
    shape.experts = 0;
    EXPECT_EQ(ParameterCount(shape), AllocatedCount(shape));
  }
  EXPECT_EQ(StoredNumberCount(DecoderShape()), ParameterCount(DecoderShape()));
}

TEST(DecoderShapeTest, CountsAnMlpByHand) {
  EXPECT_EQ(MlpParameterCount(ExpertKind::kGeluMlp, 2, 3), 6 + 3 + 6 + 2);
  EXPECT_EQ(MlpParameterCount(ExpertKind::kGatedMlp, 2, 3), 18);
}

TEST(DenseCounterpartTest, TakesTheWidthOfOneExpert) {
  const auto dense = DenseCounterpart(DecoderShape(), 2, WidthMatch::kExpert);
  ASSERT_TRUE(dense.ok()) << dense.status();
  EXPECT_EQ(dense->experts, 0);
  EXPECT_EQ(dense->expert_width, 256);
}

// Two of the default's experts have 2 * 65,920 parameters, its router 1,032: a
// hidden unit more of the dense MLP, which has 257, would be further away.
TEST(DenseCounterpartTest, ComesClosestToActiveParameters) {
  const auto dense = DenseCounterpart(DecoderShape(), 2, WidthMatch::kActive);
  ASSERT_TRUE(dense.ok()) << dense.status();
  EXPECT_EQ(dense->expert_width, 517);
}

TEST(DenseCounterpartTest, HasAllParametersToWithinHalfAUnit) {
  for (const ExpertKind kind : {ExpertKind::kGeluMlp, ExpertKind::kGatedMlp}) {
    const DecoderShape shape = Small(kind);
    const auto dense = DenseCounterpart(shape, 2, WidthMatch::kTotal);
    ASSERT_TRUE(dense.ok()) << dense.status();
    const int64_t unit = MlpParameterCount(kind, shape.width, 1) -
                         MlpParameterCount(kind, shape.width, 0);
    EXPECT_LE(2 * std::abs(ParameterCount(*dense) - ParameterCount(shape)),
              unit * shape.layers);
  }
}

TEST(DenseCounterpartTest, RefusesMoreExpertsPerTokenThanThereAre) {
  const auto dense = DenseCounterpart(DecoderShape(), 9, WidthMatch::kActive);
  EXPECT_EQ(dense.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(dense.status().message(), HasSubstr("are 9, expected 1 to"));
}

TEST(CheckShapeTest, AcceptsDefaultsAndOneOfEach) {
  EXPECT_TRUE(CheckShape(DecoderShape()).ok());
  EXPECT_TRUE(CheckShape({.layers = 1,
                          .width = 1,
                          .heads = 1,
                          .context = 1,
                          .vocabulary = 1,
                          .experts = 1,
                          .expert_width = 1})
                  .ok());
}

TEST(CheckShapeTest, NamesTheSizeThatIsWrong) {
  DecoderShape shape;
  shape.expert_width = 0;
  EXPECT_THAT(CheckShape(shape).message(), HasSubstr("expert_width is 0"));
  shape = {.experts = -1};
  EXPECT_THAT(CheckShape(shape).message(), HasSubstr("experts is -1"));
  shape = {.heads = 3};
  EXPECT_THAT(CheckShape(shape).message(), HasSubstr("a multiple of heads"));
}

TEST(CheckShapeTest, WantsOneLayerWhereThereIsNoAttention) {
  DecoderShape shape{.layers = 1, .width = 7, .outputs = 2};
  EXPECT_TRUE(CheckShape(shape).ok());  // there are no heads to divide it
  shape.layers = 2;
  EXPECT_THAT(CheckShape(shape).message(),
              HasSubstr("layers is 2, expected 1"));
  shape.outputs = -1;
  EXPECT_THAT(CheckShape(shape).message(), HasSubstr("outputs is -1"));
}

TEST(CheckShapeTest, RefusesOddHeadsWhereTheyRotate) {
  DecoderShape shape{.width = 12, .heads = 4};
  EXPECT_TRUE(CheckShape(shape).ok());
  shape.expert = ExpertKind::kGatedMlp;
  EXPECT_THAT(CheckShape(shape).message(), HasSubstr("head is 3"));
}

}  // namespace
}  // namespace moeprobe

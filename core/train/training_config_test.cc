#include "core/train/training_config.h"

#include <string>

#include "absl/status/status.h"
#include "core/checkpoint/model_config.h"
#include "core/train/training_fixture.h"
#include "core/train/training_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

TrainingOptions Gated() {
  TrainingOptions options;
  options.shape.expert = ExpertKind::kGatedMlp;
  return options;
}

TEST(TrainingConfigTest, DescribesAMixtral) {
  const auto config = ParseModelConfig(ConfigText(Gated()));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->family, "mixtral");
  EXPECT_EQ(config->width, 128);
  EXPECT_EQ(config->vocabulary_size, 256);
  EXPECT_EQ(config->experts.count, 8);
  EXPECT_EQ(config->experts.per_token, 2);
  EXPECT_EQ(config->experts.width, 256);
  EXPECT_TRUE(config->experts.renormalize);
  EXPECT_EQ(config->attention.rope_theta, 10000);
  EXPECT_EQ(config->norm_epsilon, 1e-5);
  EXPECT_EQ(config->layers.size(), 3U);
  EXPECT_FALSE(config->layers[0].sliding_window.has_value());
}

TEST(TrainingConfigTest, DescribesSoftRoutingAsAllExpertsPerToken) {
  TrainingOptions options = Gated();
  options.routing = {.per_token = 8};
  EXPECT_EQ(CheckFamily(options), absl::OkStatus());
  const auto config = ParseModelConfig(ConfigText(options));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->experts.per_token, 8);
}

TEST(TrainingConfigTest, DescribesADenseModelAsLlama) {
  TrainingOptions options = Gated();
  options.shape.experts = 0;
  options.shape.expert_width = 500;
  const auto config = ParseModelConfig(ConfigText(options));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->family, "llama");
  EXPECT_EQ(config->layers[2].dense_width, 500);
}

TEST(TrainingConfigTest, StatesTheRoutingOfTwoLayerExperts) {
  TrainingOptions options;
  options.routing.temperature = 0.5;
  const std::string text = ConfigText(options);
  EXPECT_THAT(text, HasSubstr("\"model_type\": \"moeprobe\""));
  EXPECT_THAT(text, HasSubstr("\"router_temperature\": 0.5"));
  EXPECT_THAT(text, HasSubstr("\"norm_topk_prob\": true"));
  const auto config = ParseModelConfig(text);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->expert_kind, ExpertKind::kGeluMlp);
  EXPECT_EQ(config->experts.temperature, 0.5);
  EXPECT_EQ(config->position_count, 64);
  EXPECT_EQ(config->layers.size(), 3U);
  EXPECT_EQ(CheckFamily(options), absl::OkStatus());
}

TEST(TrainingConfigTest, DescribesAModelWithoutAttention) {
  for (const ExpertKind kind : {ExpertKind::kGeluMlp, ExpertKind::kGatedMlp}) {
    TrainingOptions options = MlpFixtureOptions(kind);
    options.routing = {.per_token = 4, .temperature = 0.5};
    EXPECT_EQ(CheckFamily(options), absl::OkStatus());
    const auto config = ParseModelConfig(ConfigText(options));
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_TRUE(config->is_mlp);
    EXPECT_EQ(config->expert_kind, kind);
    EXPECT_EQ(config->vocabulary_size, 400);
    EXPECT_EQ(config->output_count, 3);
    EXPECT_EQ(config->experts.per_token, 4);
    EXPECT_EQ(config->experts.temperature, 0.5);
    options.shape.experts = 0;
    EXPECT_EQ(ParseModelConfig(ConfigText(options))->layers[0].dense_width, 20);
  }
}

TEST(TrainingConfigTest, StatesWhatWeightsWereBeforeTraining) {
  for (TrainingOptions options : {Gated(), TrainingOptions()}) {
    auto config = ParseModelConfig(ConfigText(options));
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(config->initialization, InitialWeights::kNormal);
    EXPECT_EQ(config->initializer_range, 0.02);
    options.initialization = Initialization::kTorch;
    config = ParseModelConfig(ConfigText(options));
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(config->initialization, InitialWeights::kTorch);
  }
}

TEST(TrainingConfigTest, RefusesWhatMixtralCannotSay) {
  TrainingOptions options = Gated();
  options.routing.temperature = 2;
  EXPECT_EQ(CheckFamily(options).code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(CheckFamily(options).message(), HasSubstr("no temperature"));
  options.routing = {.per_token = 2, .renormalize = false};
  EXPECT_THAT(CheckFamily(options).message(), HasSubstr("by their sum"));
}

}  // namespace
}  // namespace moeprobe

#include "core/train/trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/file_content.h"
#include "core/base/npy.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/safetensors_file.h"
#include "core/model/routing_rule.h"
#include "core/plan/decoder_shape.h"
#include "core/train/example_options.h"
#include "core/train/learning_rate.h"
#include "core/train/parameters.h"
#include "core/train/stored_tensors.h"
#include "core/train/token_split.h"
#include "core/train/training_fixture.h"
#include "core/train/training_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

std::filesystem::path Fixtures() {
  return std::filesystem::path(MOEPROBE_FIXTURES) / "training";
}

constexpr int64_t kSteps = 20;
constexpr RoutingRule kTopTwo{.per_token = 2, .renormalize = true};
constexpr RoutingRule kSoft{.per_token = 4};

// A run of the fixture: what differs from the plain one.
struct PlainRun {
  const char* folder;
  const char* name;
  ExpertKind expert = ExpertKind::kGeluMlp;
  int64_t experts = 4;
  RoutingRule routing = kTopTwo;
  double clip = 0;
  double balance_loss = 0;
  LearningRate learning_rate = {.peak = 1e-2};
};

std::ostream& operator<<(std::ostream& out, const PlainRun& run) {
  return out << run.folder << '/' << run.name;
}

at::Tensor ReadArray(const std::filesystem::path& path, at::ScalarType type) {
  const auto content = ReadFile(path, int64_t{1} << 20);
  const auto array = DecodeNpy(content.value().bytes);
  Array read = array.value();
  return at::from_blob(read.bytes.data(), read.shape, type).clone();
}

TrainingOptions OptionsOf(const PlainRun& run) {
  return {.shape = {.layers = 2,
                    .width = 16,
                    .heads = 2,
                    .context = 12,
                    .vocabulary = 24,
                    .experts = run.experts,
                    .expert_width = 20,
                    .expert = run.expert},
          .routing = run.routing,
          .learning_rate = run.learning_rate,
          .clip = run.clip,
          .balance_loss = run.balance_loss,
          .batch = 4,
          .steps = kSteps};
}

std::unique_ptr<Trainer> NewTrainer(const TrainingOptions& options) {
  static const TokenSplit text = FixtureText();
  return Trainer::Create(options, text).value();
}

class PlainRunTest : public testing::TestWithParam<PlainRun> {};

// 1e-4 is what the issue asks for; ten times less is what float32 gives here.
TEST_P(PlainRunTest, HasTheLossesOfPlainPyTorch) {
  const PlainRun& run = GetParam();
  const std::filesystem::path folder = Fixtures() / run.folder;
  const TrainingOptions options = OptionsOf(run);
  const auto trainer = NewTrainer(options);
  const auto weights = SafetensorsFile::Open(folder / "model.safetensors");
  ASSERT_TRUE(weights.ok()) << weights.status();
  ASSERT_EQ(LoadTensors(*weights,
                        StoredTensors(trainer->parameters(), options.shape)),
            absl::OkStatus());
  const at::Tensor batches = ReadArray(Fixtures() / "batches.npy", at::kLong);
  const at::Tensor expected =
      ReadArray(folder / (std::string(run.name) + ".npy"), at::kDouble);
  for (int64_t i = 0; i < kSteps; ++i) {
    const auto report = trainer->StepOn(batches[i]);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->step, i + 1);
    EXPECT_NEAR(report->loss, expected[i][0].item<double>(), 1e-5) << i;
    EXPECT_NEAR(report->gradient_norm, expected[i][1].item<double>(), 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Fixtures, PlainRunTest,
    testing::Values(
        PlainRun{.folder = "dense", .name = "plain", .experts = 0},
        PlainRun{.folder = "two-layer", .name = "top-2"},
        PlainRun{.folder = "two-layer", .name = "soft", .routing = kSoft},
        PlainRun{.folder = "two-layer",
                 .name = "tempered",
                 .routing = {.per_token = 2,
                             .renormalize = true,
                             .temperature = 0.5}},
        PlainRun{.folder = "two-layer",
                 .name = "clipped",
                 .clip = 0.3,
                 .learning_rate = {.peak = 1e-2,
                                   .warmup_steps = 5,
                                   .decay = Decay::kCosine}},
        PlainRun{.folder = "mixtral",
                 .name = "plain",
                 .expert = ExpertKind::kGatedMlp},
        PlainRun{.folder = "mixtral",
                 .name = "balanced",
                 .expert = ExpertKind::kGatedMlp,
                 .balance_loss = 0.5}));

constexpr PlainRun kRun{.folder = "", .name = ""};

TEST(TrainerTest, GivesTheSameBytesForTheSameSeed) {
  const auto one = NewTrainer(OptionsOf(kRun)),
             two = NewTrainer(OptionsOf(kRun));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(one->Step().value().loss, two->Step().value().loss);
  }
  const auto of_one = ParameterTensors(one->parameters());
  const auto of_two = ParameterTensors(two->parameters());
  for (size_t i = 0; i < of_one.size(); ++i) {
    EXPECT_TRUE(of_one[i].equal(of_two[i]));
  }
  TrainingOptions options = OptionsOf(kRun);
  options.seed = 1;
  EXPECT_NE(NewTrainer(options)->Step().value().loss,
            NewTrainer(OptionsOf(kRun))->Step().value().loss);
}

TEST(TrainerTest, Learns) {
  const auto trainer = NewTrainer(OptionsOf(kRun));
  const double before = trainer->HeldOutLoss(100);
  const double first = trainer->Step().value().loss;
  EXPECT_NEAR(first, std::log(24.0), 0.01);  // weights of 0.02 know nothing
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(trainer->Step().ok());
  EXPECT_LT(trainer->Step().value().loss, first - 0.5);
  EXPECT_LT(trainer->HeldOutLoss(100), before - 0.5);
}

TEST(TrainerTest, SaysHowExpertsAreUsed) {
  const auto report = NewTrainer(OptionsOf(kRun))->Step();
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->expert_tokens.sizes(), at::IntArrayRef({2, 4}));
  // 4 windows of 12 tokens, two experts each; gates of a token sum to 1.
  EXPECT_TRUE(report->expert_tokens.sum(1).eq(96).all().item<bool>());
  EXPECT_TRUE(
      report->expert_gates.sum(1).sub(1).abs().lt(1e-6).all().item<bool>());
}

TEST(TrainerTest, HasNoUsageWithoutExperts) {
  const auto report =
      NewTrainer(OptionsOf({.folder = "", .name = "", .experts = 0}))->Step();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(report->expert_tokens.defined());
  EXPECT_EQ(report->balance_loss, 0);
}

TEST(TrainerTest, HasNoHeldOutLossWhereNothingIsHeldOut) {
  TokenSplit text = FixtureText();
  text.held_out.clear();
  const auto trainer = Trainer::Create(OptionsOf(kRun), text).value();
  EXPECT_TRUE(std::isnan(trainer->HeldOutLoss(10)));
}

TEST(TrainerTest, RefusesAHeldOutTextWithoutAWindow) {
  TokenSplit text = FixtureText();
  text.held_out.resize(12);
  EXPECT_THAT(Trainer::Create(OptionsOf(kRun), text).status().message(),
              HasSubstr("the held-out text has 12 tokens, expected more than "
                        "the context, which is 12"));
}

TEST(TrainerTest, AveragesTheHeldOutLossOverWindows) {
  const auto trainer = NewTrainer(OptionsOf(kRun));
  // 8 windows in 100 tokens: in one group, or asked for one by one.
  const double all = trainer->HeldOutLoss(100);
  EXPECT_EQ(all, trainer->HeldOutLoss(8));
  EXPECT_NEAR(all, trainer->HeldOutLoss(1), 0.05);
}

TEST(TrainerTest, StopsAtALossThatIsNotANumberAndKeepsItsWeights) {
  const auto trainer = NewTrainer(OptionsOf(kRun));
  for (int i = 0; i < 16; ++i) ASSERT_TRUE(trainer->Step().ok());
  const at::Tensor& head = trainer->parameters().head;
  const at::Tensor before = trainer->parameters().embedding.clone();
  {
    const at::NoGradGuard no_gradients;
    head.fill_(std::numeric_limits<float>::quiet_NaN());
  }
  const auto report = trainer->Step();
  EXPECT_EQ(report.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(report.status().message(),
              HasSubstr("the loss is nan at step 17"));
  EXPECT_EQ(trainer->step(), 16);
  EXPECT_TRUE(trainer->parameters().embedding.equal(before));
}

TEST(TrainerTest, MayDivergeButSaysSo) {
  TrainingOptions options = OptionsOf(kRun);
  options.learning_rate.peak = 1e30;
  const auto trainer = NewTrainer(options);
  absl::Status status;
  while (status.ok() && trainer->step() < 50) status = trainer->Step().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
}

std::unique_ptr<Trainer> NewMlpTrainer(const TrainingOptions& options) {
  static const TokenSplit numbers = MlpFixtureExamples();
  return Trainer::Create(options, numbers).value();
}

TEST(TrainerTest, LearnsFromExamples) {
  for (const auto objective :
       {Objective::kRegression, Objective::kClassification}) {
    TrainingOptions options = MlpFixtureOptions();
    options.examples.objective = objective;
    const auto trainer = NewMlpTrainer(options);
    const double before = trainer->HeldOutLoss(100);
    const at::Tensor examples = trainer->parameters().examples.clone();
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(trainer->Step().ok());
    EXPECT_LT(trainer->HeldOutLoss(100), 0.8 * before);
    EXPECT_TRUE(trainer->parameters().examples.equal(examples));
  }
}

TEST(TrainerTest, SaysHowExpertsOfExamplesAreUsed) {
  const auto report = NewMlpTrainer(MlpFixtureOptions())->Step();
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->expert_tokens.sizes(), at::IntArrayRef({1, 4}));
  EXPECT_EQ(report->expert_tokens.sum().item<int64_t>(), 64);
}

TEST(TrainerTest, RefusesExamplesThatAreNone) {
  const auto refusal = [](void (*change)(TrainingOptions&)) {
    TrainingOptions options = MlpFixtureOptions();
    change(options);
    return std::string(
        Trainer::Create(options, MlpFixtureExamples()).status().message());
  };
  EXPECT_THAT(refusal([](auto& o) { o.examples.clusters = 0; }),
              HasSubstr("clusters is 0"));
  EXPECT_THAT(refusal([](auto& o) { o.examples.teacher_width = 0; }),
              HasSubstr("teacher_width is 0"));
  EXPECT_THAT(refusal([](auto& o) { o.examples.separation = -1; }),
              HasSubstr("separation is -1"));
  EXPECT_THAT(refusal([](auto& o) { o.examples.noise = std::nan(""); }),
              HasSubstr("noise is nan"));
  EXPECT_THAT(refusal([](auto& o) { o.shape.vocabulary = 10; }),
              HasSubstr("number of an example is 10"));
}

std::string Refusal(void (*change)(TrainingOptions&)) {
  TrainingOptions options = OptionsOf(kRun);
  change(options);
  return std::string(
      Trainer::Create(options, FixtureText()).status().message());
}

TEST(TrainerTest, RefusesOptionsOutOfRange) {
  EXPECT_THAT(Refusal([](auto& o) { o.routing.per_token = 5; }),
              HasSubstr("per token is 5, expected 1 to the number of experts, "
                        "which is 4"));
  EXPECT_THAT(Refusal([](auto& o) { o.routing.temperature = 0; }),
              HasSubstr("temperature is 0"));
  EXPECT_THAT(Refusal([](auto& o) { o.learning_rate.peak = -1e-3; }),
              HasSubstr("learning_rate is -0.001, expected a number above 0"));
  EXPECT_THAT(Refusal([](auto& o) { o.learning_rate.warmup_steps = -1; }),
              HasSubstr("warmup is -1"));
  EXPECT_THAT(Refusal([](auto& o) { o.clip = -1; }), HasSubstr("clip is -1"));
  EXPECT_THAT(Refusal([](auto& o) { o.balance_loss = std::nan(""); }),
              HasSubstr("balance_loss is nan"));
  EXPECT_THAT(Refusal([](auto& o) { o.batch = 0; }), HasSubstr("batch is 0"));
  EXPECT_THAT(Refusal([](auto& o) { o.steps = 0; }), HasSubstr("steps is 0"));
  EXPECT_THAT(Refusal([](auto& o) { o.shape.width = 0; }),
              HasSubstr("width is 0"));
  EXPECT_THAT(Refusal([](auto& o) { o.shape.context = 2000; }),
              HasSubstr("more than the context, which is 2000"));
  EXPECT_THAT(Refusal([](auto& o) { o.shape.vocabulary = 20; }),
              HasSubstr("training text is 22, expected 0 to below the vocab"));
}

}  // namespace
}  // namespace moeprobe

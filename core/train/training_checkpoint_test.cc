#include "core/train/training_checkpoint.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/randint.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/file_content.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/model/decoder_layer.h"
#include "core/model/embedding.h"
#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "core/model/token_loss.h"
#include "core/model/weight_arrival.h"
#include "core/plan/decoder_shape.h"
#include "core/train/decoder.h"
#include "core/train/token_split.h"
#include "core/train/trainer.h"
#include "core/train/training_curves.h"
#include "core/train/training_fixture.h"
#include "core/train/training_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

// A run that has made some steps.
struct SomeRun {
  explicit SomeRun(const TrainingOptions& run_options, int64_t steps = 0)
      : options(run_options),
        trainer(Trainer::Create(options, text).value()),
        curves(options.shape.layers, options.shape.experts) {
    Advance(steps);
  }

  void Advance(int64_t steps) {
    for (int64_t i = 0; i < steps; ++i) curves.AddStep(trainer->Step().value());
  }

  absl::Status Write(const fs::path& directory) {
    return WriteCheckpoint(directory, options, *trainer, curves);
  }

  absl::Status Restore(const fs::path& directory) {
    const std::optional<int64_t> step = LastCheckpoint(directory);
    if (!step) return absl::NotFoundError("no checkpoint");
    return RestoreCheckpoint(directory, *step, options, *trainer, curves);
  }

  TrainingOptions options;
  TokenSplit text = FixtureText();
  std::unique_ptr<Trainer> trainer;
  TrainingCurves curves;
};

// What an analysis finds as the loss of a checkpoint.
double AnalysedLoss(const Checkpoint& checkpoint, const at::Tensor& windows) {
  const int64_t length = windows.size(1);
  const at::Tensor ids = windows.flatten();
  at::Tensor residual = Embed(checkpoint, ids, length);
  const auto layers = static_cast<int64_t>(checkpoint.config().layers.size());
  for (int64_t layer = 0; layer < layers; ++layer) {
    const DecoderLayer decoder(checkpoint, layer, length, at::kFloat);
    decoder.Attend(residual);
    const at::Tensor h = decoder.MlpInput(residual);
    const Routing routing =
        decoder.RouteTokens(h, OwnRule(checkpoint.config().experts));
    EXPECT_EQ(
        decoder.RunExperts(h, routing, &residual, nullptr, AlreadyArrived),
        absl::OkStatus());
  }
  return NextTokenLoss(checkpoint, residual, ids, length, at::kFloat);
}

double OwnLoss(const SomeRun& run, const at::Tensor& windows) {
  const at::NoGradGuard no_gradients;
  const at::Tensor logits =
      Decoder(run.options.shape, run.options.routing)
          .Forward(run.trainer->parameters(), windows.slice(1, 0, -1))
          .logits;
  return at::cross_entropy_loss(logits, windows.slice(1, 1).flatten())
      .item<double>();
}

class TrainingCheckpointTest : public testing::Test {
 protected:
  fs::path StepFile(int64_t step, const std::string& name) const {
    return directory_.path() / CheckpointName(step) / name;
  }

  // Trains a model and expects an analysis to see the same.
  void ExpectAnalysisAgrees(const TrainingOptions& options) {
    SomeRun run(options, 30);
    ASSERT_EQ(run.Write(directory_.path()), absl::OkStatus());
    const auto checkpoint =
        Checkpoint::Open(directory_.path() / CheckpointName(30));
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    EXPECT_TRUE((*checkpoint)->unused_tensors().empty());
    const at::Tensor windows =
        at::randint(kFixtureVocabulary, {5, 12}, at::kLong);
    // Products are grouped in another way: float32 rounding.
    EXPECT_NEAR(AnalysedLoss(**checkpoint, windows), OwnLoss(run, windows),
                1e-5);
  }

  TemporaryDirectory directory_;
};

TEST_F(TrainingCheckpointTest, IsAMixtralThatAnAnalysisLoads) {
  ExpectAnalysisAgrees(FixtureOptions(ExpertKind::kGatedMlp));
}

TEST_F(TrainingCheckpointTest, IsOfAFamilyThatAnAnalysisLoads) {
  ExpectAnalysisAgrees(FixtureOptions());
}

TEST_F(TrainingCheckpointTest, StatesHowItsExpertsAreChosen) {
  TrainingOptions options = FixtureOptions();
  options.routing = {.per_token = 4};
  ExpectAnalysisAgrees(options);
  options.routing = {.per_token = 3, .renormalize = false, .temperature = 0.4};
  ExpectAnalysisAgrees(options);
}

TEST_F(TrainingCheckpointTest, HasADenseMlpOfTwoLayers) {
  TrainingOptions options = FixtureOptions();
  options.shape.experts = 0;
  ExpectAnalysisAgrees(options);
}

TEST_F(TrainingCheckpointTest, IsAMixtralWithAllExpertsUnderSoftRouting) {
  TrainingOptions options = FixtureOptions(ExpertKind::kGatedMlp);
  options.routing = {.per_token = 4};
  ExpectAnalysisAgrees(options);
}

TEST_F(TrainingCheckpointTest, IsALlamaWhereTheModelIsDense) {
  TrainingOptions options = FixtureOptions(ExpertKind::kGatedMlp);
  options.shape.experts = 0;
  ExpectAnalysisAgrees(options);
}

TEST_F(TrainingCheckpointTest, HoldsAllThatItTakesToGoOn) {
  SomeRun whole(FixtureOptions(), 5);
  ASSERT_EQ(whole.Write(directory_.path()), absl::OkStatus());
  whole.Advance(5);
  SomeRun rest(FixtureOptions());
  ASSERT_EQ(rest.Restore(directory_.path()), absl::OkStatus());
  EXPECT_EQ(rest.trainer->step(), 5);
  rest.Advance(5);
  TemporaryDirectory other;
  ASSERT_EQ(whole.Write(directory_.path()), absl::OkStatus());
  ASSERT_EQ(rest.Write(other.path()), absl::OkStatus());
  for (const char* name :
       {"config.json", "model.safetensors", "training.safetensors"}) {
    const fs::path same = other.path() / CheckpointName(10) / name;
    EXPECT_EQ(ReadFile(StepFile(10, name), 1 << 24).value().bytes,
              ReadFile(same, 1 << 24).value().bytes)
        << name;
  }
}

TEST_F(TrainingCheckpointTest, FindsNoneWhereThereIsNone) {
  EXPECT_EQ(LastCheckpoint(directory_.path()), std::nullopt);
  EXPECT_EQ(LastCheckpoint(directory_.path() / "none"), std::nullopt);
  EXPECT_FALSE(HasCheckpoint(directory_.path(), 0));
}

TEST_F(TrainingCheckpointTest, KeepsTheStateOfTheLastOneOnly) {
  SomeRun run(FixtureOptions(), 3);
  ASSERT_EQ(run.Write(directory_.path()), absl::OkStatus());
  run.Advance(1);
  ASSERT_EQ(run.Write(directory_.path()), absl::OkStatus());
  EXPECT_FALSE(fs::exists(StepFile(3, "training.safetensors")));
  EXPECT_TRUE(HasCheckpoint(directory_.path(), 3));
  EXPECT_TRUE(fs::exists(StepFile(4, "training.safetensors")));
  EXPECT_EQ(LastCheckpoint(directory_.path()), 4);
}

// As a process leaves it that dies in between.
TEST_F(TrainingCheckpointTest, RemovesAStateThatWasLeft) {
  SomeRun run(FixtureOptions(), 3);
  ASSERT_EQ(run.Write(directory_.path()), absl::OkStatus());
  const fs::path left = directory_.path() / "left";
  fs::copy(directory_.path() / CheckpointName(3), left);
  run.Advance(1);
  ASSERT_EQ(run.Write(directory_.path()), absl::OkStatus());
  fs::copy(left / "training.safetensors", StepFile(3, "training.safetensors"));
  SomeRun rest(FixtureOptions());
  ASSERT_EQ(rest.Restore(directory_.path()), absl::OkStatus());
  EXPECT_EQ(rest.trainer->step(), 4);
  EXPECT_FALSE(fs::exists(StepFile(3, "training.safetensors")));
}

TEST_F(TrainingCheckpointTest, PassesOverWhatIsDamagedOrUnfinished) {
  SomeRun run(FixtureOptions(), 4);
  ASSERT_EQ(run.Write(directory_.path()), absl::OkStatus());
  fs::create_directories(directory_.path() / "checkpoint.partial");
  fs::create_directories(directory_.path() / "step-none");
  fs::create_directories(directory_.path() / CheckpointName(9));
  EXPECT_EQ(LastCheckpoint(directory_.path()), 4);
  fs::resize_file(StepFile(4, "training.safetensors"), 1000);
  EXPECT_TRUE(HasCheckpoint(directory_.path(), 4));
  EXPECT_EQ(LastCheckpoint(directory_.path()), std::nullopt);
  fs::resize_file(StepFile(4, "model.safetensors"), 1000);
  EXPECT_FALSE(HasCheckpoint(directory_.path(), 4));
  // And can be written over.
  ASSERT_EQ(run.Write(directory_.path()), absl::OkStatus());
  EXPECT_EQ(LastCheckpoint(directory_.path()), 4);
}

TEST_F(TrainingCheckpointTest, RefusesAModelOfOtherSizes) {
  SomeRun run(FixtureOptions(), 1);
  ASSERT_EQ(run.Write(directory_.path()), absl::OkStatus());
  TrainingOptions wider = FixtureOptions();
  wider.shape.expert_width = 21;
  SomeRun other(wider);
  const absl::Status restored = other.Restore(directory_.path());
  EXPECT_EQ(restored.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(restored.message(), HasSubstr("fc1.weight"));
}

TEST_F(TrainingCheckpointTest, SaysWhereItCannotWrite) {
  SomeRun run(FixtureOptions());
  const absl::Status status = run.Write("/proc/none");
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr("/proc/none"));
}

}  // namespace
}  // namespace moeprobe

#include "core/train/training_run.h"

#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_content.h"
#include "core/base/file_lock.h"
#include "core/base/random_stream.h"
#include "core/checkpoint/model_config.h"
#include "core/plan/decoder_shape.h"
#include "core/train/training_checkpoint.h"
#include "core/train/training_curves.h"
#include "core/train/training_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;

constexpr int64_t kSteps = 40;

// Runs the driver with a kind of model and returns how it ended, as waitpid
// says.
int Drive(const fs::path& directory, const std::string& kind,
          int64_t dying_step) {
  std::array<std::string, 5> words{MOEPROBE_TRAINING_DRIVER, directory.string(),
                                   kind, absl::StrCat(kSteps),
                                   absl::StrCat(dying_step)};
  std::array<char*, 6> arguments{};  // ends with null
  std::ranges::transform(words, arguments.begin(),
                         [](std::string& word) { return word.data(); });
  pid_t child = 0;
  EXPECT_EQ(posix_spawn(&child, words[0].c_str(), nullptr, nullptr,
                        arguments.data(), environ),
            0);
  int end = 0;
  EXPECT_EQ(waitpid(child, &end, 0), child);
  return end;
}

std::string Bytes(const fs::path& path) {
  return ReadFile(path, 1 << 24).value().bytes;
}

// Bytes of all files, by their paths.
std::map<std::string, std::string> FilesIn(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    files[fs::relative(entry.path(), directory)] = Bytes(entry.path());
  }
  return files;
}

class Patient final : public TrainingObserver {
 public:
  absl::Status OnWait() override {
    return ++waits_ == 3 ? absl::CancelledError("too long") : absl::OkStatus();
  }

  absl::Status OnStep(int64_t step, double loss) override {
    losses_.push_back(loss);
    return step == stop_at_ ? absl::CancelledError("enough") : absl::OkStatus();
  }

  absl::Status OnKept(int64_t step, const TrainingCurves& curves) override {
    EXPECT_GE(curves.step_count(), step);
    kept_.push_back(step);
    for (const NamedCurve& curve : curves.ArraysUpTo(step)) {
      found_[absl::StrCat(step, "/", curve.name)] = curve.array.bytes;
    }
    return absl::OkStatus();
  }

  int64_t stop_at_ = 0;
  int waits_ = 0;
  std::vector<double> losses_;
  std::vector<int64_t> kept_;
  std::map<std::string, std::string> found_;  // curves, where steps are kept
};

class TrainingRunTest : public testing::Test {
 protected:
  TrainingRun NewRun() const {
    return {.training = FixtureOptions(),
            .kept_steps = {0, 6, 12, 20},
            .directory = directory_.path() / "run"};
  }

  absl::Status Start(const TrainingRun& run) {
    return RunTraining(run, FixtureText(), observer_, curves_);
  }

  TemporaryDirectory directory_;
  Patient observer_;
  TrainingCurves curves_ = TrainingCurves(2, 4);
};

TEST_F(TrainingRunTest, KeepsWhatIsDue) {
  ASSERT_EQ(Start(NewRun()), absl::OkStatus());
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(NewRun().directory)) {
    names.push_back(entry.path().filename());
  }
  EXPECT_THAT(names, UnorderedElementsAre("lock", "step-0", "step-6", "step-12",
                                          "step-20"));
  EXPECT_EQ(observer_.losses_.size(), 20U);
  EXPECT_THAT(observer_.kept_, ElementsAre(0, 6, 12, 20));
  for (const NamedCurve& curve : curves_.Arrays()) {
    if (curve.name != "evaluation_step") continue;
    std::array<int64_t, 4> steps{};
    ASSERT_EQ(curve.array.bytes.size(), sizeof(steps));
    std::memcpy(steps.data(), curve.array.bytes.data(), sizeof(steps));
    EXPECT_THAT(steps, ElementsAre(0, 6, 12, 20));
  }
}

TEST_F(TrainingRunTest, DoesNothingTwice) {
  ASSERT_EQ(Start(NewRun()), absl::OkStatus());
  Patient observer;
  TrainingCurves again(2, 4);
  ASSERT_EQ(RunTraining(NewRun(), FixtureText(), observer, again),
            absl::OkStatus());
  EXPECT_TRUE(observer.losses_.empty());
  EXPECT_THAT(observer.kept_, ElementsAre(0, 6, 12, 20));
  EXPECT_EQ(again.step_count(), 20);
}

TEST_F(TrainingRunTest, BeginsAnewWhereACheckpointIsLost) {
  ASSERT_EQ(Start(NewRun()), absl::OkStatus());
  const std::string model = "step-20/model.safetensors";
  const std::string before = Bytes(NewRun().directory / model);
  fs::remove_all(NewRun().directory / "step-6");
  Patient observer;
  TrainingCurves again(2, 4);
  ASSERT_EQ(RunTraining(NewRun(), FixtureText(), observer, again),
            absl::OkStatus());
  EXPECT_EQ(observer.losses_, observer_.losses_);
  EXPECT_TRUE(fs::exists(NewRun().directory / "step-6"));
  EXPECT_EQ(Bytes(NewRun().directory / model), before);
}

TEST_F(TrainingRunTest, WaitsForAnotherOneInItsDirectory) {
  fs::create_directories(NewRun().directory);
  auto other = FileLock::TryAcquire(NewRun().directory / "lock");
  ASSERT_TRUE(other.value().has_value());
  EXPECT_EQ(Start(NewRun()).message(), "too long");
  EXPECT_EQ(observer_.waits_, 3);
  EXPECT_TRUE(observer_.kept_.empty());
  other->reset();
  EXPECT_EQ(Start(NewRun()), absl::OkStatus());
}

TEST_F(TrainingRunTest, StopsWhenItIsTold) {
  observer_.stop_at_ = 7;
  EXPECT_EQ(Start(NewRun()).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(curves_.step_count(), 7);
  EXPECT_TRUE(fs::exists(NewRun().directory / CheckpointName(6)));
}

TEST_F(TrainingRunTest, EndsAsIfItHadNeverStopped) {
  ASSERT_EQ(Start(NewRun()), absl::OkStatus());
  const auto files = FilesIn(NewRun().directory);
  for (int64_t step = 1; step <= 20; ++step) {
    fs::remove_all(NewRun().directory);
    Patient observer;
    for (const int64_t stop : {step, int64_t{0}}) {
      observer.stop_at_ = stop;
      observer.kept_.clear();
      TrainingCurves curves(2, 4);
      RunTraining(NewRun(), FixtureText(), observer, curves).IgnoreError();
    }
    EXPECT_THAT(observer.kept_, ElementsAre(0, 6, 12, 20)) << step;
    EXPECT_EQ(observer.found_, observer_.found_) << step;
    // The model where it was stopped stays, whoever may use it.
    const bool is_due = std::ranges::count(NewRun().kept_steps, step) > 0;
    if (!is_due) fs::remove_all(NewRun().directory / CheckpointName(step));
    EXPECT_TRUE(FilesIn(NewRun().directory) == files) << step;
  }
}

TEST_F(TrainingRunTest, KeepsWhatWasReachedBeforeItDiverged) {
  TrainingRun run = NewRun();
  run.training.learning_rate.peak = 1e30;
  const absl::Status status = Start(run);
  ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  const int64_t reached = curves_.step_count();
  EXPECT_THAT(status.message(), HasSubstr(absl::StrCat("step ", reached + 1)));
  EXPECT_TRUE(fs::exists(run.directory / CheckpointName(reached)));
}

TEST_F(TrainingRunTest, KeepsNothingElseWhenItDivergesAgain) {
  TrainingRun run = NewRun();
  run.training.learning_rate.peak = 1e30;
  const absl::Status first = Start(run);
  const auto written =
      fs::last_write_time(run.directory / CheckpointName(curves_.step_count()) /
                          "model.safetensors");
  TrainingCurves again(2, 4);
  EXPECT_EQ(RunTraining(run, FixtureText(), observer_, again), first);
  EXPECT_EQ(
      fs::last_write_time(run.directory / CheckpointName(again.step_count()) /
                          "model.safetensors"),
      written);
}

TEST_F(TrainingRunTest, RefusesStepsThatAreNotInOrder) {
  const std::vector<std::vector<int64_t>> wrong = {
      {}, {0}, {20}, {0, 30}, {0, 9, 9, 20}, {0, 9, 6, 20}};
  for (const std::vector<int64_t>& steps : wrong) {
    TrainingRun run = NewRun();
    run.kept_steps = steps;
    EXPECT_THAT(Start(run).message(),
                HasSubstr("expected ascending steps from 0 to 20"));
  }
  EXPECT_FALSE(fs::exists(NewRun().directory));
}

TEST_F(TrainingRunTest, RefusesWhatItsFamilyCannotSay) {
  TrainingRun run = NewRun();
  run.training = FixtureOptions(ExpertKind::kGatedMlp);
  run.training.routing.temperature = 2;
  EXPECT_EQ(Start(run).code(), absl::StatusCode::kUnimplemented);
}

class KilledRunTest : public testing::TestWithParam<std::string> {
 protected:
  TemporaryDirectory directory_;
};

// Killed with signal 9 ten times, each time after at least one more step than
// before.
TEST_P(KilledRunTest, EndsWithTheSameBytesHoweverOftenItIsKilled) {
  const fs::path undisturbed = directory_.path() / "undisturbed";
  const fs::path killed = directory_.path() / "killed";
  ASSERT_EQ(Drive(undisturbed, GetParam(), 0), 0);
  RandomStream random(11, 0);
  int64_t step = 0;
  for (int kill = 0; kill < 10; ++kill) {
    step = std::min(step + 1 + static_cast<int64_t>(random.Below(6)), kSteps);
    const int end = Drive(killed, GetParam(), step);
    ASSERT_TRUE(WIFSIGNALED(end)) << step;
    ASSERT_EQ(WTERMSIG(end), SIGKILL);
    if (step == kSteps) break;
  }
  ASSERT_EQ(Drive(killed, GetParam(), 0), 0);
  EXPECT_EQ(FilesIn(killed), FilesIn(undisturbed));
}

INSTANTIATE_TEST_SUITE_P(Kinds, KilledRunTest,
                         testing::Values("two-layer", "mlp"));

}  // namespace
}  // namespace moeprobe

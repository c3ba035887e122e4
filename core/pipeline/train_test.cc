#include "core/pipeline/train.h"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/file_lock.h"
#include "core/base/npy.h"
#include "core/checkpoint/safetensors_file.h"
#include "core/probe/probe_result.h"
#include "core/train/token_split.h"
#include "core/train/training_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<double> Doubles(const Array& array) {
  std::vector<double> values(array.bytes.size() / sizeof(double));
  std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

// Remembers what it is told.
class Recorder final : public TrainObserver {
 public:
  absl::Status OnWait() override { return absl::CancelledError("waited"); }

  absl::Status OnStep(int64_t step, double loss) override {
    losses_.push_back(loss);
    return step == stop_at_ ? absl::CancelledError("enough") : absl::OkStatus();
  }

  absl::Status OnKept(const KeptModel& model) override {
    EXPECT_TRUE(
        SafetensorsFile::Open(model.directory / "model.safetensors").ok());
    steps_.push_back(model.step);
    for (const NamedArray& curve : model.curves) {
      EXPECT_EQ(curve.probe, "training");
      kept_[model.step][curve.name] = curve.array;
    }
    return absl::OkStatus();
  }

  // Bytes of all curves, by step and name.
  std::map<int64_t, std::map<std::string, std::string>> Bytes() const {
    std::map<int64_t, std::map<std::string, std::string>> bytes;
    for (const auto& [step, curves] : kept_) {
      for (const auto& [name, array] : curves) {
        bytes[step][name] = EncodeNpy(array);
      }
    }
    return bytes;
  }

  int64_t stop_at_ = 0;
  std::vector<double> losses_;
  std::vector<int64_t> steps_;
  std::map<int64_t, std::map<std::string, Array>> kept_;
};

class TrainTest : public testing::Test {
 protected:
  TrainRequest NewRequest() const {
    return {.training = FixtureOptions(),
            .kept_steps = {0, 8, 20},
            .directory = directory_.path() / "run"};
  }

  TemporaryDirectory directory_;
  Recorder recorder_;
};

TEST_F(TrainTest, TellsWhatItFoundUpToEachKeptStep) {
  ASSERT_EQ(Train(NewRequest(), FixtureText(), recorder_), absl::OkStatus());
  EXPECT_THAT(recorder_.steps_, ElementsAre(0, 8, 20));
  const std::vector<double>& losses = recorder_.losses_;
  ASSERT_EQ(losses.size(), 20U);
  auto &begin = recorder_.kept_[0], &middle = recorder_.kept_[8],
       &end = recorder_.kept_[20];
  EXPECT_FALSE(begin.contains("loss"));
  EXPECT_THAT(begin["training/loss"].shape, ElementsAre(0));
  EXPECT_EQ(Doubles(middle["training/loss"]),
            std::vector<double>(losses.begin(), losses.begin() + 8));
  EXPECT_EQ(Doubles(end["training/loss"]), losses);
  // As they are added up, so that even rounding is the same.
  EXPECT_EQ(Doubles(end["loss"]).front(),
            std::accumulate(losses.begin(), losses.end(), 0.0) / 20);
  EXPECT_THAT(end["loss"].shape, ElementsAre());
  EXPECT_EQ(Doubles(end["held_out_loss"]).front(),
            Doubles(end["training/held_out_loss"]).back());
  EXPECT_EQ(Doubles(middle["held_out_loss"]).front(),
            Doubles(end["training/held_out_loss"])[1]);
  EXPECT_THAT(middle["training/expert_tokens"].shape, ElementsAre(2, 2, 4));
  EXPECT_THAT(end["training/expert_gates"].shape, ElementsAre(3, 2, 4));
  EXPECT_EQ(end["training/evaluation_step"].type, DataType::kInt64);
  EXPECT_THAT(end["training/learning_rate"].shape, ElementsAre(20));
}

TEST_F(TrainTest, TellsTheSameWhenItGoesOn) {
  ASSERT_EQ(Train(NewRequest(), FixtureText(), recorder_), absl::OkStatus());
  TrainRequest other = NewRequest();
  other.directory = directory_.path() / "other";
  Recorder stopped, rest;
  stopped.stop_at_ = 15;
  EXPECT_EQ(Train(other, FixtureText(), stopped).message(), "enough");
  EXPECT_THAT(stopped.steps_, ElementsAre(0, 8));
  ASSERT_EQ(Train(other, FixtureText(), rest), absl::OkStatus());
  EXPECT_THAT(rest.steps_, ElementsAre(0, 8, 20));
  EXPECT_EQ(rest.losses_.size(), 5U);  // where it stopped it was kept
  EXPECT_EQ(rest.Bytes(), recorder_.Bytes());
}

TEST_F(TrainTest, HasNoHeldOutLossWhereNothingIsHeldOut) {
  TokenSplit text = FixtureText();
  text.held_out.clear();
  ASSERT_EQ(Train(NewRequest(), text, recorder_), absl::OkStatus());
  for (const auto& [name, array] : recorder_.kept_[20]) {
    EXPECT_THAT(name, testing::Not(HasSubstr("held_out")));
  }
  EXPECT_TRUE(recorder_.kept_[20].contains("training/evaluation_step"));
}

TEST_F(TrainTest, HasNoExpertsInADenseModel) {
  TrainRequest request = NewRequest();
  request.training.shape.experts = 0;
  ASSERT_EQ(Train(request, FixtureText(), recorder_), absl::OkStatus());
  for (const auto& [name, array] : recorder_.kept_[20]) {
    EXPECT_THAT(name, testing::Not(HasSubstr("expert")));
  }
}

TEST_F(TrainTest, SaysThatItWaits) {
  std::filesystem::create_directories(NewRequest().directory);
  const auto lock = FileLock::TryAcquire(NewRequest().directory / "lock");
  ASSERT_TRUE(lock.value().has_value());
  EXPECT_EQ(Train(NewRequest(), FixtureText(), recorder_).message(), "waited");
}

TEST_F(TrainTest, RefusesWhatDoesNotFit) {
  TrainRequest request = NewRequest();
  request.training.shape.experts = -1;
  EXPECT_EQ(Train(request, FixtureText(), recorder_).code(),
            absl::StatusCode::kInvalidArgument);
  request = NewRequest();
  request.training.shape.vocabulary = 9;
  EXPECT_THAT(Train(request, FixtureText(), recorder_).message(),
              HasSubstr("expected 0 to below the vocabulary size, which is 9"));
  EXPECT_THAT(Train(NewRequest(), {}, recorder_).message(),
              HasSubstr("the training text has 0 tokens"));
}

}  // namespace
}  // namespace moeprobe

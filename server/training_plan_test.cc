#include "server/training_plan.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/training.pb.h"
#include "server/job_plan.h"
#include "server/testing/catalog_fixture.h"
#include "server/training_cells.h"
#include "storage/job.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

class TrainingPlanTest : public CatalogFixture {
 protected:
  TrainingPlanTest() {
    std::string text(2000, 'x');
    text[1800] = 'y';
    text_sha256_ = Sha256Hex(text);
    AddDataset("text", true, text);
    v1::TrainSpec& spec = *job_.mutable_train();
    spec.mutable_data()->set_text("text");
    for (const char* name : {"dense", "top-2", "soft"}) {
      spec.add_variants()->set_name(name);
    }
    spec.mutable_variants(0)->set_block(v1::BLOCK_DENSE);
    spec.mutable_variants(2)->mutable_routing()->set_select(
        v1::ROUTING_SELECTION_ALL);
    spec.add_seeds(4);
    spec.add_seeds(2);
    spec.mutable_optimizer()->set_steps(50);
    spec.mutable_probe()->set_every(20);
    spec.mutable_checkpoint()->set_every(30);
  }

  v1::TrainSpec& spec() { return *job_.mutable_train(); }

  JobPlan Plan() {
    job_ = Resolve(job_).job;
    JobPlanner planner(models_.get(), catalog_.get(), &fingerprints_,
                       directory_.path() / "trained");
    return *planner.Plan(job_, v1::DEVICE_CPU);
  }

  // Where the models are there.
  JobPlan PlanTrained() {
    for (const v1::TrainingRun& run : Plan().runs) {
      for (const int64_t step : run.kept_steps()) {
        std::filesystem::create_directories(
            std::filesystem::path(run.directory()) /
            absl::StrCat("step-", step));
      }
    }
    return Plan();
  }

  // Of a job that is resolved already.
  absl::Status PlanAgain() {
    JobPlanner planner(models_.get(), catalog_.get(), &fingerprints_,
                       directory_.path() / "trained");
    return planner.Plan(job_, v1::DEVICE_CPU).status();
  }

  static std::vector<std::string> Prefixes(const JobPlan& plan) {
    std::vector<std::string> prefixes;
    for (const PlannedPart& part : plan.parts) prefixes.push_back(part.prefix);
    return prefixes;
  }

  v1::Job job_;
  std::string text_sha256_;
};

TEST_F(TrainingPlanTest, ProbesAndKeepsAtMultiplesAndTheLast) {
  EXPECT_THAT(ProbedSteps(spec()), ElementsAre(0, 20, 40, 50));
  EXPECT_THAT(KeptSteps(spec()), ElementsAre(0, 20, 30, 40, 50));
  spec().mutable_probe()->set_every(0);
  EXPECT_THAT(ProbedSteps(spec()), ElementsAre(50));
  EXPECT_THAT(KeptSteps(spec()), ElementsAre(0, 30, 50));
}

TEST_F(TrainingPlanTest, HasAPartForEveryModelStepAndSwap) {
  spec().mutable_probe()->set_every(0);
  spec().add_swap_routing("soft");
  EXPECT_THAT(
      Prefixes(Plan()),
      ElementsAre("dense/seed4/step50/", "dense/seed2/step50/",
                  "top-2/seed4/step50/", "top-2/seed4/step50/gates-soft/",
                  "top-2/seed2/step50/", "top-2/seed2/step50/gates-soft/",
                  "soft/seed4/step50/", "soft/seed2/step50/"));
}

TEST_F(TrainingPlanTest, RunsEveryVariantFromEverySeedOnce) {
  const JobPlan plan = Plan();
  ASSERT_EQ(plan.runs.size(), 6);
  EXPECT_EQ(plan.runs[0].label(), "dense, seed 4");
  EXPECT_EQ(plan.runs[0].shape().experts(), 0);
  EXPECT_EQ(plan.runs[0].shape().expert_width(), 256);
  EXPECT_EQ(plan.runs[3].label(), "top-2, seed 2");
  EXPECT_EQ(plan.runs[3].routing().expert_count(), 2);
  EXPECT_TRUE(plan.runs[3].routing().renormalize());
  EXPECT_EQ(plan.runs[5].routing().expert_count(), 8);
  for (const PlannedPart& part : plan.parts) {
    const auto& run = plan.runs[static_cast<size_t>(part.trained->model.run())];
    EXPECT_EQ(
        part.model.name,
        absl::StrCat("trained/",
                     std::filesystem::path(run.directory()).filename().string(),
                     "/step-", part.trained->model.step()));
  }
}

TEST_F(TrainingPlanTest, OnlyTheLastStepHasNulls) {
  const JobPlan plan = Plan();
  EXPECT_EQ(plan.parts[0].spec.nulls().ByteSizeLong(), 0);
  EXPECT_EQ(plan.parts[3].trained->model.step(), 50);
  EXPECT_EQ(plan.parts[3].spec.nulls().random_router(), 99);
}

TEST_F(TrainingPlanTest, KnowsEveryOtherKeyBeforeAnythingRuns) {
  const JobPlan plan = Plan();
  EXPECT_THAT(plan.groups, Contains(Field(&NeededGroup::probe, "training")));
  for (const NeededGroup& group : plan.groups) {
    EXPECT_EQ(group.key.empty(), group.probe == "training") << group.probe;
  }
}

TEST_F(TrainingPlanTest, KnowsTheKeysOfCurvesWhileAllModelsAreThere) {
  const JobPlan plan = PlanTrained();
  EXPECT_THAT(plan.groups, Each(Field(&NeededGroup::key, Not(""))));
  // A model that is kept and not probed.
  const std::filesystem::path run = plan.runs[0].directory();
  std::filesystem::remove(run / "step-30");
  for (const NeededGroup& group : Plan().groups) {
    const v1::TrainedModel& model =
        plan.parts[static_cast<size_t>(group.part)].trained->model;
    EXPECT_EQ(group.key.empty(), group.probe == "training" && model.run() == 0);
  }
}

TEST_F(TrainingPlanTest, ProbesTheHeldOutTokens) {
  const JobPlan plan = Plan();
  EXPECT_EQ(plan.parts[0].tokens->token_count, 192);  // of 200, in windows
  EXPECT_EQ(plan.parts[0].tokens->first_ids[0], 'y');
  spec().mutable_probe()->set_evaluate_on(v1::EVALUATION_TEXT_TRAIN);
  EXPECT_EQ(Plan().parts[0].tokens->first_ids[0], 'x');
}

// Keys of a group of the last step of "top-2" from seed 2.
std::string KeyOf(const JobPlan& plan, const std::string& probe) {
  const auto group =
      std::ranges::find_if(plan.groups, [&](const NeededGroup& needed) {
        const auto& part = plan.parts[static_cast<size_t>(needed.part)];
        return part.prefix == "top-2/seed2/step50/" && needed.probe == probe;
      });
  return group == plan.groups.end() ? "" : group->key;
}

TEST_F(TrainingPlanTest, KeysSayWhatDeterminesTheNumbers) {
  const JobPlan plan = PlanTrained();
  // When else models are kept changes the curves alone.
  spec().mutable_checkpoint()->set_every(10);
  EXPECT_EQ(KeyOf(Plan(), "pca/routed"), KeyOf(plan, "pca/routed"));
  EXPECT_NE(KeyOf(PlanTrained(), "training"), KeyOf(plan, "training"));
  // What other variants there are, changes nothing.
  spec().mutable_variants()->DeleteSubrange(0, 1);
  spec().mutable_checkpoint()->set_every(30);
  EXPECT_EQ(KeyOf(Plan(), "training"), KeyOf(plan, "training"));
  // How it learned changes everything.
  spec().mutable_optimizer()->set_learning_rate(1e-3);
  EXPECT_NE(KeyOf(Plan(), "pca/routed"), KeyOf(plan, "pca/routed"));
}

TEST_F(TrainingPlanTest, TheSameRunHasTheSameDirectory) {
  const JobPlan plan = Plan();
  spec().mutable_variants()->DeleteSubrange(0, 1);
  EXPECT_EQ(Plan().runs[0].directory(), plan.runs[2].directory());
  EXPECT_NE(plan.runs[0].directory(), plan.runs[1].directory());
}

TEST_F(TrainingPlanTest, PlansModelsOnExamples) {
  const std::string of_text = Plan().runs[0].directory();
  job_.mutable_train()->Clear();
  spec().set_task(v1::TRAINING_TASK_MLP);
  spec().add_variants()->set_name("top-2");
  v1::SyntheticData& data = *spec().mutable_data()->mutable_synthetic();
  data.set_examples(400);
  const JobPlan plan = Plan();
  ASSERT_EQ(plan.runs.size(), 1U);
  const v1::TrainingRun& run = plan.runs[0];
  EXPECT_EQ(run.vocabulary_size(), 400);
  EXPECT_EQ(run.synthetic().clusters(), 8);
  EXPECT_EQ(run.data_path(), "");
  ASSERT_EQ(plan.parts.size(), 1U);
  EXPECT_FALSE(plan.parts[0].nll);
  EXPECT_EQ(plan.parts[0].data.sequence_length(), 16);
  ASSERT_TRUE(plan.parts[0].tokens.has_value());
  EXPECT_EQ(plan.parts[0].tokens->token_count, 32);  // of 40 held out
  for (const auto change : {0, 1}) {
    v1::SyntheticData& other = *spec().mutable_data()->mutable_synthetic();
    change == 0 ? other.set_seed(1) : other.set_noise(0.5);
    EXPECT_NE(Plan().runs[0].directory(), run.directory());
  }
  EXPECT_NE(run.directory(), of_text);
}

TEST_F(TrainingPlanTest, RefusesATextThatHasBecomeShorter) {
  job_ = Resolve(job_).job;
  const std::filesystem::path text = blobs_.PathOf(text_sha256_);
  std::filesystem::resize_file(text, 1900);
  const absl::Status status = PlanAgain();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              testing::AllOf(HasSubstr(text.native()),
                             HasSubstr("ends after 1900 bytes, expected")));
}

TEST_F(TrainingPlanTest, RefusesTokenIdsThatHaveChanged) {
  std::vector<int32_t> ids(2000, 1);
  const std::string npy = EncodeTokenIds(ids);
  AddDataset("ids", false, npy);
  ids.back() = 100;
  WriteBytes(blobs_.PathOf(Sha256Hex(npy)), EncodeTokenIds(ids));
  spec().mutable_data()->set_ids("ids");
  EXPECT_EQ(Resolve(job_).violations.ToStatus().code(),
            absl::StatusCode::kDataLoss);
}

// They may be large, and every look at the queue plans: what was found once is
// remembered. A worker reads all of them.
TEST_F(TrainingPlanTest, ReadsTextAndIdsOnce) {
  const std::string npy = EncodeTokenIds(std::vector<int32_t>(2000, 1));
  AddDataset("ids", false, npy);
  const JobPlan of_text = Plan();
  EXPECT_TRUE(of_text.parts[0].tokens.has_value());
  std::filesystem::remove(blobs_.PathOf(text_sha256_));
  EXPECT_TRUE(PlanAgain().ok());
  spec().mutable_data()->set_ids("ids");
  spec().mutable_data()->clear_vocabulary();
  const JobPlan of_ids = Plan();
  EXPECT_EQ(of_ids.runs[0].vocabulary_size(), 2);
  std::filesystem::remove(blobs_.PathOf(Sha256Hex(npy)));
  EXPECT_TRUE(PlanAgain().ok());
}

}  // namespace
}  // namespace moeprobe

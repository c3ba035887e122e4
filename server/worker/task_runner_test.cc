// Tasks with models to train, run to their end.

#include "server/worker/task_runner.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <future>
#include <initializer_list>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "core/base/sha256.h"
#include "core/pipeline/analyze.h"
#include "core/plan/machine_rates.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/training.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/testing/recording_service.h"
#include "server/worker/server_connection.h"
#include "server/worker/server_link.h"
#include "server/worker/tokenizer.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr int64_t kSteps = 12;

class TaskRunnerTest : public testing::Test {
 protected:
  TaskRunnerTest() {
    WriteText("to be or not to be, that is the question; ");
    task_.set_job("jobs/1");
    task_.set_attempt(1);
    task_.set_scratch_directory(directory_.path() / "scratch");
  }

  void WriteText(const std::string& line) {
    std::string text;
    for (int i = 0; i < 20; ++i) text += line;
    text_ = WriteBlob(text);
    for (v1::TrainingRun& run : *task_.mutable_runs()) run.set_data_path(text_);
  }

  fs::path WriteBlob(const std::string& bytes) const {
    fs::path path = directory_.path() / Sha256Hex(bytes);
    WriteBytes(path, bytes);
    return path;
  }

  // Adds a Mixtral of four experts, kept at steps 0, 6 and 12.
  v1::TrainingRun& AddRun(const std::string& name) {
    v1::TrainingRun& run = *task_.add_runs();
    run.set_label(absl::StrCat(name, ", seed 0"));
    v1::ModelShape& shape = *run.mutable_shape();
    shape.set_layers(2);
    shape.set_width(16);
    shape.set_heads(2);
    shape.set_context(12);
    shape.set_experts(4);
    shape.set_expert_width(20);
    shape.set_expert(v1::EXPERT_FORM_GATED_MLP);
    run.set_vocabulary_size(256);
    run.mutable_routing()->set_expert_count(2);
    run.mutable_routing()->set_renormalize(true);
    run.mutable_routing()->set_temperature(1);
    run.mutable_optimizer()->set_learning_rate(1e-2);
    run.mutable_optimizer()->set_batch(4);
    run.mutable_optimizer()->set_steps(kSteps);
    run.set_data_path(text_);
    run.set_bytes(true);
    run.set_held_out(0.1);
    for (const int64_t step : {0, 6, 12}) run.add_kept_steps(step);
    run.set_directory(directory_.path() / "runs" / name);
    return run;
  }

  v1::TaskPart& AddPart(int run, int64_t step,
                        std::initializer_list<int> layers) {
    v1::TaskPart& part = *task_.add_parts();
    part.set_prefix(absl::StrCat("run", run, "/step", step, "/"));
    part.mutable_trained()->set_run(run);
    part.mutable_trained()->set_step(step);
    part.mutable_trained()->set_curves(true);
    part.mutable_trained()->set_evaluate_on(v1::EVALUATION_TEXT_HELD_OUT);
    for (const int layer : layers) part.add_layers(layer);
    part.mutable_data()->set_tokens(-1);
    part.mutable_data()->set_sequence_length(12);
    part.mutable_probes()->mutable_routing();
    part.mutable_probes()->mutable_jacobian()->add_average(v1::WEIGHTING_ALL);
    part.set_precision(v1::PRECISION_FLOAT32);
    part.set_device(v1::DEVICE_CPU);
    return part;
  }

  // Adds an analysis of a Mixtral.
  v1::TaskPart& AddAnalysis(const fs::path& data) {
    const fs::path model = directory_.path() / "mixtral";
    WriteTinyModel(model, MakeTinyModel("mixtral"));
    v1::TaskPart& part = AddPart(0, 0, {0, 1});
    part.clear_trained();
    part.set_model(model.filename());
    part.set_model_root(directory_.path());
    part.set_model_directory(model);
    part.set_data_path(data);
    part.mutable_data()->set_sequence_length(4);
    return part;
  }

  // A top-2 and a dense model; parts 0 to 2 are of the first, 3 of the second.
  void AddTwoModels() {
    AddRun("top-2");
    v1::TrainingRun& dense = AddRun("dense");
    dense.clear_routing();
    dense.mutable_shape()->set_experts(0);
    AddPart(0, 0, {0, 1}).set_nll(true);
    AddPart(0, 6, {});
    AddPart(0, 12, {1})
        .mutable_trained()
        ->set_evaluate_on(v1::EVALUATION_TEXT_TRAIN);
    AddPart(1, 12, {});
  }

  void Run(int threads = 2) {
    auto connection = ConnectToServer(service_.address());
    ASSERT_TRUE(connection.ok()) << connection.status();
    const ServerLink link(*std::move(connection), MachineRates{});
    Analyzer analyzer(threads);
    EXPECT_EQ(TaskRunner(link, tokenizer_, analyzer, task_).Run(),
              absl::OkStatus());
  }

  // Distinct, of reports that carried one: the first report may be earlier than
  // the first step.
  std::set<std::string> PhasesTold() const {
    std::set<std::string> phases;
    for (const v1::Progress& progress : service_.progress()) {
      if (!progress.phase().empty()) phases.insert(progress.phase());
    }
    return phases;
  }

  std::string ErrorAfterRun() {
    Run();
    return service_.finish().error().message();
  }

  TemporaryDirectory directory_;
  RecordingService service_ = RecordingService(directory_.path() / "socket");
  TokenizerOptions tokenizer_ = DefaultTokenizerOptions();
  v1::Task task_;
  fs::path text_;
};

TEST_F(TaskRunnerTest, PublishesWhatPartsWant) {
  AddTwoModels();
  Run();
  EXPECT_FALSE(service_.finish().has_error())
      << service_.finish().error().message();
  auto arrays = service_.arrays();
  EXPECT_TRUE(arrays[std::pair(0, 0)].contains("layer0/jacobian_cosine/all"));
  EXPECT_TRUE(arrays[std::pair(0, 1)].contains("layer1/jacobian_cosine/all"));
  EXPECT_FALSE(arrays.contains({2, 0}));
  EXPECT_TRUE(arrays.contains({2, 1}));
  EXPECT_TRUE(arrays[std::pair(0, -1)].contains("nll"));
  EXPECT_FALSE(arrays[std::pair(0, -1)].contains("loss"));
  for (const int part : {1, 2, 3}) {
    EXPECT_TRUE(arrays[std::pair(part, -1)].contains("loss")) << part;
    EXPECT_TRUE(arrays[std::pair(part, -1)].contains("training/loss"));
  }
  const Array loss =
      DecodeNpy(arrays[std::pair(1, -1)]["training/loss"]).value();
  EXPECT_THAT(loss.shape, ElementsAre(6));
}

TEST_F(TaskRunnerTest, SaysWhereEachPartComesFrom) {
  AddTwoModels();
  Run();
  const v1::FinishTaskRequest finish = service_.finish();
  ASSERT_EQ(finish.provenance_size(), 4);
  EXPECT_EQ(finish.provenance(2).prefix(), "run0/step12/");
  EXPECT_EQ(finish.provenance(2).model(), "trained/top-2/step-12");
  EXPECT_EQ(finish.provenance(2).environment().at("threads"), "1");
  EXPECT_TRUE(finish.provenance(2).environment().contains("steps_per_second"));
  // 840 bytes, of which 84 are held out, in windows of 12.
  EXPECT_EQ(finish.provenance(0).token_count(), 84);
  EXPECT_EQ(finish.provenance(2).token_count(), 756);
  EXPECT_EQ(service_.layers()[std::pair(0, 1)].data_fingerprint(),
            finish.provenance(0).data_fingerprint());
}

TEST_F(TaskRunnerTest, DoesNotDependOnThreads) {
  AddTwoModels();
  Run(1);
  const auto one = service_.arrays();
  for (v1::TrainingRun& run : *task_.mutable_runs()) {
    run.set_directory(run.directory() + "-again");
  }
  Run(4);
  EXPECT_EQ(service_.arrays(), one);
}

TEST_F(TaskRunnerTest, TrainsNothingTwice) {
  AddTwoModels();
  Run();
  const auto first = service_.arrays();
  task_.clear_parts();
  AddPart(0, 6, {0});
  Run();
  EXPECT_EQ(service_.arrays().at({0, -1}).at("training/loss"),
            first.at({1, -1}).at("training/loss"));
  EXPECT_FALSE(service_.finish().provenance(0).environment().contains(
      "steps_per_second"));
}

TEST_F(TaskRunnerTest, GoesOnWithOthersWhereOneDiverges) {
  AddTwoModels();
  task_.mutable_runs(0)->mutable_optimizer()->set_learning_rate(1e30);
  EXPECT_THAT(ErrorAfterRun(),
              AllOf(HasSubstr("top-2, seed 0: the "), HasSubstr(" at step "),
                    HasSubstr("; 1 of 2 runs failed")));
  EXPECT_EQ(service_.finish().error().code(),
            static_cast<int>(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(service_.arrays().contains({0, 1}));
  EXPECT_TRUE(service_.arrays().contains({3, -1}));
  ASSERT_EQ(service_.finish().provenance_size(), 2);
  EXPECT_EQ(service_.finish().provenance(1).prefix(), "run1/step12/");
}

TEST_F(TaskRunnerTest, StopsAllWhenTheJobIsCancelled) {
  for (const char* name : {"a", "b", "c"}) {
    v1::TrainingRun& run = AddRun(name);
    run.mutable_optimizer()->set_steps(1'000'000);
    run.set_kept_steps(2, 1'000'000);
  }
  auto end = std::async(std::launch::async, [&] { Run(); });
  while (PhasesTold().empty()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  service_.Cancel();
  end.get();
  EXPECT_EQ(service_.finish().error().code(),
            static_cast<int>(absl::StatusCode::kCancelled));
}

TEST_F(TaskRunnerTest, GivesAnAnalysisBackAfterTheLayerItIsAt) {
  AddAnalysis(WriteBlob(EncodeTokenIds({1, 2, 3, 4})));
  service_.AskBack();
  Run();
  EXPECT_EQ(service_.finish().error().code(),
            static_cast<int>(absl::StatusCode::kCancelled));
  EXPECT_TRUE(service_.layers().contains({0, 0}));
  EXPECT_FALSE(service_.layers().contains({0, 1}));
}

TEST_F(TaskRunnerTest, RefusesATokenizerThatLeadsOutOfItsRoot) {
  const fs::path root = directory_.path() / "models";
  const fs::path model = root / "mixtral";
  WriteTinyModel(model, MakeTinyModel("mixtral"));
  WriteBytes(directory_.path() / "outside", "{}");
  fs::create_symlink("../../outside", model / "tokenizer.json");
  v1::TaskPart& part = AddPart(0, 0, {0});
  part.clear_trained();
  part.set_model(model.filename());
  part.set_model_root(root);
  part.set_model_directory(model);
  part.set_data_path(text_);
  part.set_tokenize(true);
  part.mutable_data()->set_sequence_length(4);
  Run();
  EXPECT_EQ(service_.finish().error().code(),
            static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(service_.finish().error().message(),
              AllOf(HasSubstr("tokenizer.json: leads to "),
                    HasSubstr("/outside, expected a file inside ")));
}

TEST_F(TaskRunnerTest, GivesTrainingBackWithTheStepItIsAt) {
  v1::TrainingRun& run = AddRun("a");
  run.mutable_optimizer()->set_steps(1'000'000);
  run.set_kept_steps(2, 1'000'000);
  auto end = std::async(std::launch::async, [&] { Run(); });
  while (!fs::exists(fs::path(run.directory()) / "step-6")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  service_.AskBack();
  end.get();
  EXPECT_EQ(service_.finish().error().code(),
            static_cast<int>(absl::StatusCode::kCancelled));
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(run.directory())) {
    names.insert(entry.path().filename());
  }
  for (const char* name : {"lock", "step-0", "step-6"}) names.erase(name);
  EXPECT_THAT(names, ElementsAre(HasSubstr("step-")));
}

TEST_F(TaskRunnerTest, TellsHowFarItIs) {
  for (const char* name : {"a", "b"}) {
    v1::TrainingRun& run = AddRun(name);
    run.mutable_optimizer()->set_steps(1'000'000);
    run.set_kept_steps(2, 1'000'000);
  }
  auto end = std::async(std::launch::async, [&] { Run(); });
  while (PhasesTold().size() < 2) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  service_.Cancel();
  end.get();
  EXPECT_THAT(PhasesTold(), Each(HasSubstr("; 0 of 2 runs done")));
  double before = 0;
  for (const v1::Progress& progress : service_.progress()) {
    EXPECT_GE(progress.fraction(), before);
    before = progress.fraction();
  }
  EXPECT_GT(before, 0);
}

TEST_F(TaskRunnerTest, TrainsAndProbesAModelOnExamples) {
  v1::TrainingRun& run = AddRun("mlp");
  run.mutable_shape()->set_layers(1);
  run.mutable_shape()->clear_heads();
  run.mutable_shape()->clear_context();
  run.clear_bytes();
  run.clear_data_path();
  run.set_vocabulary_size(400);
  v1::SyntheticData& data = *run.mutable_synthetic();
  data.set_examples(400);
  data.set_clusters(3);
  data.set_teacher_width(8);
  data.set_outputs(2);
  AddPart(0, kSteps, {0}).mutable_data()->set_sequence_length(16);
  EXPECT_EQ(ErrorAfterRun(), "");
  const v1::FinishTaskRequest finish = service_.finish();
  ASSERT_EQ(finish.provenance_size(), 1);
  const v1::Provenance& provenance = finish.provenance(0);
  EXPECT_EQ(provenance.token_count(), 32);
  EXPECT_EQ(provenance.first_token_ids(0), 360);
  EXPECT_FALSE(provenance.has_nll());
}

TEST_F(TaskRunnerTest, NamesATextThatIsTooShort) {
  AddRun("top-2");
  WriteText("");
  EXPECT_THAT(ErrorAfterRun(),
              AllOf(HasSubstr("data set "), HasSubstr(": the training "),
                    HasSubstr("has 0 tokens, expected at least 13")));
  WriteText("abc");
  EXPECT_THAT(ErrorAfterRun(),
              HasSubstr("the held-out part of the text has 6 tokens"));
  fs::remove(text_);
  EXPECT_THAT(ErrorAfterRun(), HasSubstr("cannot read the data set: "));
}

TEST_F(TaskRunnerTest, RefusesATextThatIsNotWhatWasUploaded) {
  AddTwoModels();
  fs::resize_file(text_, 800);
  EXPECT_THAT(ErrorAfterRun(), AllOf(HasSubstr(text_.string()),
                                     HasSubstr(": its content has ")));
  EXPECT_EQ(service_.finish().error().code(),
            static_cast<int>(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(service_.layers().empty());
}

TEST_F(TaskRunnerTest, RefusesTokenIdsThatAreNotThoseThatWereStored) {
  const fs::path ids = WriteBlob(EncodeTokenIds({1, 2, 3, 4}));
  WriteBytes(ids, EncodeTokenIds({1, 2, 3, 5}));
  AddAnalysis(ids);
  Run();
  EXPECT_EQ(service_.finish().error().code(),
            static_cast<int>(absl::StatusCode::kDataLoss));
}

TEST_F(TaskRunnerTest, TokenisesNoTextThatIsNotWhatWasUploaded) {
  WriteBytes(text_, "to be");
  v1::TaskPart& part = AddAnalysis(text_);
  WriteBytes(fs::path(part.model_directory()) / "tokenizer.json", "{}");
  part.set_tokenize(true);
  Run();
  EXPECT_EQ(service_.finish().error().code(),
            static_cast<int>(absl::StatusCode::kDataLoss));
}

TEST_F(TaskRunnerTest, NamesTokenIdsOutsideTheVocabulary) {
  AddRun("top-2").set_vocabulary_size(100);
  EXPECT_THAT(ErrorAfterRun(),
              AllOf(HasSubstr("a token id of the training text is 117"),
                    HasSubstr("the vocabulary size, which is 100")));
  EXPECT_EQ(service_.finish().error().code(),
            static_cast<int>(absl::StatusCode::kInvalidArgument));
}

TEST_F(TaskRunnerTest, NamesAPathThatCannotBeWritten) {
  AddRun("top-2").set_directory("/proc/none");
  EXPECT_THAT(ErrorAfterRun(), HasSubstr("/proc/none"));
}

}  // namespace
}  // namespace moeprobe

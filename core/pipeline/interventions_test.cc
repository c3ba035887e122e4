// Interventions through Analyzer, against checkpoints whose files were edited.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "core/pipeline/analyze.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/safetensors_bytes.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

constexpr int64_t kLength = 16;  // of a window

class Recorder final : public AnalysisObserver {
 public:
  absl::Status OnProgress(const std::string& /*phase*/,
                          double /*fraction*/) override {
    return absl::OkStatus();
  }
  absl::Status OnLayer(const LayerResult& result) override {
    for (const NamedArray& named : result.arrays) {
      arrays[named.name] = named.array;
    }
    if (result.layer == stop_after) return absl::CancelledError("stop");
    return absl::OkStatus();
  }

  template <typename T = double>
  std::vector<T> Numbers(const std::string& name) const {
    const std::string& bytes = arrays.at(name).bytes;
    std::vector<T> numbers(bytes.size() / sizeof(T));
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
    return numbers;
  }

  std::map<std::string, Array> arrays;
  int64_t stop_after = -2;
};

// The weights of one expert in a tiny Mixtral.
std::string WeightName(int64_t layer, int64_t expert, const char* weight) {
  return absl::StrCat("model.layers.", layer, ".block_sparse_moe.experts.",
                      expert, ".", weight, ".weight");
}
constexpr const char* kWeights[] = {"w1", "w2", "w3"};

std::vector<float> Floats(const TensorToWrite& tensor) {
  std::vector<float> floats(tensor.bytes.size() / sizeof(float));
  std::memcpy(floats.data(), tensor.bytes.data(), tensor.bytes.size());
  return floats;
}

// What an intervention does to the files.
void EditFiles(TinyModel& model, int64_t layer, int64_t kept, int64_t removed,
               Intervention kind) {
  for (const char* weight : kWeights) {
    TensorToWrite& a = TensorNamed(model, WeightName(layer, kept, weight));
    TensorToWrite& b = TensorNamed(model, WeightName(layer, removed, weight));
    if (kind == Intervention::kReplace) b.bytes = a.bytes;
    if (kind == Intervention::kAblate) b.bytes.assign(b.bytes.size(), '\0');
    if (kind != Intervention::kAverage) continue;
    std::vector<float> mean = Floats(a);
    const std::vector<float> other = Floats(b);
    for (size_t i = 0; i < mean.size(); ++i) mean[i] = (mean[i] + other[i]) / 2;
    std::memcpy(a.bytes.data(), mean.data(), a.bytes.size());
    b.bytes = a.bytes;
  }
}

class InterventionsTest : public testing::Test {
 protected:
  InterventionsTest()
      : directory_(
            std::filesystem::path(testing::TempDir()) /
            absl::StrCat("interventions_", testing::UnitTest::GetInstance()
                                               ->current_test_info()
                                               ->name())) {
    std::filesystem::remove_all(directory_);
    request_.model_directory = directory_ / "model";
    request_.sequence_length = kLength;
    for (int32_t i = 0; i < kLength * 12; ++i) {
      request_.token_ids.push_back((i * i * 7 + i / 5) % 16);
    }
    request_.layers = {0, 1, 2};
    request_.probes.routing = false;
    request_.probes.redundancy = RedundancyOptions{.tokens = 40, .rank = 2};
    request_.probes.interventions =
        InterventionOptions{.pairs = 6, .tokens = 5 * kLength + 3};
  }
  ~InterventionsTest() override { std::filesystem::remove_all(directory_); }

  void WriteModel(const std::function<void(TinyModel&)>& change = {},
                  const std::string& family = "mixtral") {
    TinyModel model = MakeTinyModel(family, {.layer_count = 3});
    if (change) change(model);
    WriteTinyModel(request_.model_directory, model);
  }

  Recorder Compute() {
    Recorder recorder;
    const auto report = analyzer_.Analyze(request_, recorder);
    EXPECT_TRUE(report.ok()) << report.status();
    return recorder;
  }

  // The loss of an edited checkpoint over the first five windows.
  double LossOf(const std::function<void(TinyModel&)>& change) {
    const AnalysisRequest asked = request_;
    WriteModel(change);
    request_.probes = ProbeOptions{};
    request_.layers = {};
    request_.nll = true;
    request_.token_ids.resize(5 * kLength);
    const double loss = Compute().Numbers("nll")[0];
    request_ = asked;
    return loss;
  }

  std::filesystem::path directory_;
  AnalysisRequest request_;
  Analyzer analyzer_{2};
};

TEST_F(InterventionsTest, CostWhatEditedFilesCost) {
  WriteModel();
  const Recorder recorder = Compute();
  const double before = LossOf({});
  for (const int64_t layer : {0, 2}) {
    const std::string prefix = absl::StrCat("layer", layer, "/intervention_");
    const auto pairs = recorder.Numbers<int64_t>(prefix + "pairs");
    ASSERT_EQ(pairs.size(), 12);
    EXPECT_NEAR(recorder.Numbers(prefix + "nll")[0], before, 1e-6);
    for (const Intervention kind :
         {Intervention::kAverage, Intervention::kReplace,
          Intervention::kAblate}) {
      const auto deltas =
          recorder.Numbers(prefix + "delta_nll/" + NameOf(kind));
      ASSERT_EQ(deltas.size(), 6);
      for (const size_t pair : {0, 5}) {
        const double edited = LossOf([&](TinyModel& model) {
          EditFiles(model, layer, pairs[2 * pair], pairs[2 * pair + 1], kind);
        });
        // Losses are sums of float32 logits.
        EXPECT_NEAR(deltas[pair], edited - before, 1e-6) << NameOf(kind);
      }
    }
  }
}

TEST_F(InterventionsTest, CostExactlyNothingWhereExpertsAreIdentical) {
  WriteModel([](TinyModel& model) {
    for (const char* weight : kWeights) {
      TensorNamed(model, WeightName(1, 3, weight)).bytes =
          TensorNamed(model, WeightName(1, 1, weight)).bytes;
    }
  });
  const Recorder recorder = Compute();
  // Equal in function: the first of the ranking.
  const auto pairs = recorder.Numbers<int64_t>("layer1/intervention_pairs");
  EXPECT_EQ(pairs[0] + pairs[1], 4);
  EXPECT_EQ(recorder.Numbers("layer1/intervention_delta_nll/replace")[0], 0);
  EXPECT_EQ(recorder.Numbers("layer1/intervention_delta_nll/average")[0], 0);
  EXPECT_NE(recorder.Numbers("layer1/intervention_delta_nll/ablate")[0], 0);
}

TEST_F(InterventionsTest, CostExactlyNothingWhereNoTokenIsRouted) {
  WriteModel([](TinyModel& model) {
    TensorToWrite& router =
        TensorNamed(model, "model.layers.1.block_sparse_moe.gate.weight");
    // Experts 2 and 3 tie with 0: of equals the lowest indices are chosen, so
    // that nobody ever asks 3.
    const size_t row = router.bytes.size() / 4;
    const std::string first = router.bytes.substr(0, row);
    router.bytes.replace(2 * row, row, first);
    router.bytes.replace(3 * row, row, first);
  });
  const Recorder recorder = Compute();
  const auto pairs = recorder.Numbers<int64_t>("layer1/intervention_pairs");
  for (const char* kind : {"ablate", "replace"}) {
    const auto deltas =
        recorder.Numbers(absl::StrCat("layer1/intervention_delta_nll/", kind));
    for (size_t i = 0; i < 6; ++i) {
      if (pairs[2 * i + 1] == 3) {
        EXPECT_EQ(deltas[i], 0) << kind;
      }
      EXPECT_NE(pairs[2 * i], 3);  // the other has more tokens
    }
  }
}

TEST_F(InterventionsTest, CorrelateWithWhatIsKnownOfThePairs) {
  WriteModel();
  const Recorder recorder = Compute();
  const auto correlation =
      recorder.Numbers("layer0/intervention_rank_correlation/average");
  ASSERT_EQ(correlation.size(), 4);
  EXPECT_TRUE(std::isnan(correlation[0]));  // no Jacobians were averaged
  EXPECT_LE(std::abs(correlation[1]), 1);
  EXPECT_TRUE(std::isnan(correlation[2]));
  EXPECT_LE(std::abs(correlation[3]), 1);
  const auto scores = recorder.Numbers("layer0/intervention_scores");
  ASSERT_EQ(scores.size(), 24);
  for (size_t i = 1; i < 6; ++i)
    EXPECT_GE(scores[4 * i - 3], scores[4 * i + 1]);
}

TEST_F(InterventionsTest, RunTheModelToItsEnd) {
  WriteModel();
  request_.layers = {0};
  const Recorder recorder = Compute();
  EXPECT_TRUE(recorder.arrays.contains("layer0/intervention_nll"));
  EXPECT_FALSE(recorder.arrays.contains("nll"));
}

TEST_F(InterventionsTest, GiveTheSameBytesAfterAnInterruption) {
  WriteModel({}, "qwen2_moe");
  const Recorder whole = Compute();
  request_.hidden_states = {.directory = directory_ / "hidden_states",
                            .limit_bytes = int64_t{1} << 30};
  Recorder first;
  first.stop_after = 1;
  EXPECT_TRUE(absl::IsCancelled(analyzer_.Analyze(request_, first).status()));
  // Interventions were not published: their layers are asked for again.
  const Recorder second = Compute();
  for (const auto& [name, array] : whole.arrays) {
    EXPECT_EQ(second.arrays.at(name).bytes, array.bytes) << name;
  }
}

TEST_F(InterventionsTest, DoNotChangeTheAnalysisBesideThem) {
  WriteModel();
  const Recorder with = Compute();
  request_.probes.interventions.reset();
  for (const auto& [name, array] : Compute().arrays) {
    EXPECT_EQ(with.arrays.at(name).bytes, array.bytes) << name;
  }
}

TEST_F(InterventionsTest, LeaveADenseModelAlone) {
  WriteModel({}, "llama");
  for (const auto& [name, array] : Compute().arrays) {
    EXPECT_FALSE(absl::StrContains(name, "intervention")) << name;
  }
}

TEST_F(InterventionsTest, AreRefusedWhereTheyNeedTooMuchMemory) {
  WriteModel();
  request_.probes.interventions->pairs = int64_t{1} << 30;
  Recorder recorder;
  const absl::Status status = analyzer_.Analyze(request_, recorder).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("fewer layers"));
}

}  // namespace
}  // namespace moeprobe

#include "core/pipeline/analyze.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ios>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/routing_rule.h"
#include "core/model/weight.h"
#include "core/pipeline/random_weights.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/significance/draw_stream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/safetensors_bytes.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

// Keeps what an analysis says; may stop it at a layer.
class Recorder final : public AnalysisObserver {
 public:
  absl::Status OnProgress(const std::string& phase, double fraction) override {
    EXPECT_GE(fraction, fraction_) << phase;
    EXPECT_LE(fraction, 1);
    fraction_ = fraction;
    return absl::OkStatus();
  }

  absl::Status OnLayer(const LayerResult& result) override {
    layers.push_back(result.layer);
    fingerprints[result.layer] = result.weights_fingerprint;
    for (const NamedArray& named : result.arrays) {
      arrays[named.name] = named.array;
    }
    warnings.insert(warnings.end(), result.warnings.begin(),
                    result.warnings.end());
    if (result.layer == stop_after) return absl::CancelledError("stop");
    return absl::OkStatus();
  }

  std::vector<double> Numbers(const std::string& name) const {
    const std::string& bytes = arrays.at(name).bytes;
    std::vector<double> numbers(bytes.size() / sizeof(double));
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
    return numbers;
  }

  std::vector<int64_t> layers;
  std::map<int64_t, std::string> fingerprints;
  std::map<std::string, Array> arrays;
  std::vector<std::string> warnings;
  int64_t stop_after = -2;

 private:
  double fraction_ = 0;
};

class AnalyzeTest : public testing::Test {
 protected:
  AnalyzeTest()
      : directory_(std::filesystem::path(testing::TempDir()) /
                   absl::StrCat("analyze_", testing::UnitTest::GetInstance()
                                                ->current_test_info()
                                                ->name())) {
    std::filesystem::remove_all(directory_);
    request_.model_directory = directory_ / "model";
    request_.sequence_length = 16;
    for (int32_t i = 0; i < 16 * 12; ++i) {
      request_.token_ids.push_back((i * i * 7 + i / 5) % 16);
    }
    request_.layers = {0, 1, 2};
    request_.probes.jacobian = JacobianOptions();
    request_.probes.pca =
        PcaOptions{.conventions = {Convention::kRouted, Convention::kAllTokens},
                   .components = 3};
    request_.nll = true;
  }

  void WriteModel(const std::string& family,
                  const std::function<void(TinyModel&)>& change = {}) {
    TinyModel model = MakeTinyModel(family, {.layer_count = 3});
    if (change) change(model);
    WriteTinyModel(request_.model_directory, model);
  }

  // Runs the request, which must succeed, and returns what it said.
  Recorder Compute() {
    Recorder recorder;
    const auto report = analyzer_.Analyze(request_, recorder);
    EXPECT_TRUE(report.ok()) << report.status();
    if (report.ok()) report_ = *report;
    return recorder;
  }

  void KeepHiddenStates(int64_t limit_bytes = 1'000'000) {
    request_.hidden_states = {.directory = directory_ / "hidden_states",
                              .limit_bytes = limit_bytes};
  }

  void FlipABitOfEveryHiddenState() {
    for (const auto& file :
         std::filesystem::directory_iterator(directory_ / "hidden_states")) {
      if (file.file_size() == 0) continue;  // the lock
      std::fstream stream(file.path(),
                          std::ios::binary | std::ios::in | std::ios::out);
      stream.seekg(-2, std::ios::end);
      const int byte = stream.get() ^ 1;
      stream.seekp(-2, std::ios::end);
      stream.put(static_cast<char>(byte));
    }
  }

  absl::Status Error() {
    Recorder recorder;
    return analyzer_.Analyze(request_, recorder).status();
  }

  std::filesystem::path directory_;
  AnalysisRequest request_;
  AnalysisReport report_;
  Analyzer analyzer_{2};
};

void ExpectSameBytes(const std::map<std::string, Array>& a,
                     const std::map<std::string, Array>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, array] : a) {
    ASSERT_TRUE(b.contains(name)) << name;
    EXPECT_EQ(array.bytes, b.at(name).bytes) << name;
  }
}

TEST_F(AnalyzeTest, PublishesEveryQuantityOfEveryLayer) {
  WriteModel("mixtral");
  const Recorder recorder = Compute();
  EXPECT_THAT(recorder.layers, testing::ElementsAre(0, 1, 2, -1));
  for (const char* name :
       {"expert_count", "gate_mean", "routing_entropy", "coactivation",
        "repeat_rate", "margin_histogram", "margin_edges", "jacobian_norm/all",
        "jacobian_cosine/gate", "pca/routed/eigenvalues",
        "pca/all_tokens/components", "grassmann/routed", "pca/all/gap"}) {
    EXPECT_TRUE(recorder.arrays.contains(absl::StrCat("layer2/", name)))
        << name;
  }
  EXPECT_EQ(report_.nll, recorder.Numbers("nll")[0]);
}

TEST_F(AnalyzeTest, GivesTheSameBytesEveryTime) {
  WriteModel("qwen2_moe");
  ExpectSameBytes(Compute().arrays, Compute().arrays);
}

TEST_F(AnalyzeTest, GivesTheSameBytesAfterAnInterruption) {
  WriteModel("qwen3_moe");
  const Recorder whole = Compute();
  KeepHiddenStates();
  Recorder first;
  first.stop_after = 1;
  EXPECT_TRUE(absl::IsCancelled(analyzer_.Analyze(request_, first).status()));
  request_.layers = {2};  // what has been published is not asked for again
  Recorder second = Compute();
  EXPECT_EQ(report_.layers_run, 1);
  EXPECT_EQ(second.fingerprints[2], whole.fingerprints.at(2));
  first.arrays.merge(second.arrays);
  ExpectSameBytes(first.arrays, whole.arrays);
}

TEST_F(AnalyzeTest, GoesOnBetweenProbedLayersAfterAnInterruption) {
  WriteModel("mixtral");
  KeepHiddenStates();
  request_.layers = {0, 2};
  Recorder first;
  first.stop_after = 2;  // as if it had not been published
  EXPECT_TRUE(absl::IsCancelled(analyzer_.Analyze(request_, first).status()));
  request_.layers = {2};
  request_.nll = false;
  Compute();
  EXPECT_EQ(report_.layers_run, 1);
}

TEST_F(AnalyzeTest, RunsEveryLayerOfOtherTokens) {
  WriteModel("mixtral");
  KeepHiddenStates();
  Compute();
  request_.token_ids[0] ^= 1;
  request_.layers = {2};
  Compute();
  EXPECT_EQ(report_.layers_run, 3);
}

TEST_F(AnalyzeTest, StartsWhereAnEarlierAnalysisOfTheTextLeftOff) {
  WriteModel("qwen2_moe");
  request_.layers = {2};
  request_.nll = false;
  const Recorder whole = Compute();
  EXPECT_EQ(report_.layers_run, 3);
  KeepHiddenStates();
  const ProbeOptions probes = std::exchange(request_.probes, {});
  Compute();
  EXPECT_EQ(report_.layers_run, 3);
  request_.probes = probes;
  const Recorder second = Compute();
  EXPECT_EQ(report_.layers_run, 1);
  EXPECT_EQ(report_.layer_count, 3);
  EXPECT_EQ(second.fingerprints, whole.fingerprints);
  ExpectSameBytes(second.arrays, whole.arrays);
}

TEST_F(AnalyzeTest, GivesTheSameBytesWithAllHiddenStatesKept) {
  WriteModel("qwen3_moe");
  const Recorder computed = Compute();
  KeepHiddenStates();
  Compute();
  const Recorder kept = Compute();
  EXPECT_EQ(kept.fingerprints, computed.fingerprints);
  ExpectSameBytes(kept.arrays, computed.arrays);
  request_.layers = {};  // the loss alone runs no layer
  EXPECT_EQ(Compute().Numbers("nll"), computed.Numbers("nll"));
  EXPECT_EQ(report_.layers_run, 0);
}

TEST_F(AnalyzeTest, ComputesWhatWasKeptAndIsDamaged) {
  WriteModel("mixtral");
  const Recorder computed = Compute();
  KeepHiddenStates();
  Compute();
  FlipABitOfEveryHiddenState();
  const Recorder again = Compute();
  EXPECT_THAT(again.layers, testing::ElementsAre(0, 1, 2, -1));
  ExpectSameBytes(again.arrays, computed.arrays);
  EXPECT_EQ(again.fingerprints, computed.fingerprints);
}

TEST_F(AnalyzeTest, GoesOnWhereHiddenStatesHaveNoRoom) {
  WriteModel("mixtral");
  const Recorder computed = Compute();
  KeepHiddenStates(/*limit_bytes=*/100);
  const Recorder recorder = Compute();
  EXPECT_TRUE(absl::IsResourceExhausted(report_.keeping_hidden_states))
      << report_.keeping_hidden_states;
  ExpectSameBytes(recorder.arrays, computed.arrays);
}

TEST_F(AnalyzeTest, KeepsOnlyHiddenStatesThatProbesAreTakenOf) {
  WriteModel("mixtral");
  KeepHiddenStates();
  request_.layers = {2};
  Compute();
  int files = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(directory_ / "hidden_states")) {
    files += file.file_size() > 0 ? 1 : 0;
  }
  EXPECT_EQ(files, 2);  // in front of layer 2, and behind the last one
}

TEST_F(AnalyzeTest, TakesFingerprintsThatAreKnown) {
  WriteModel("mixtral");
  request_.known_weights = {
      .stamp = (*Checkpoint::Open(request_.model_directory))->stamp(),
      .fingerprints = {{1, "one"}, {-1, "all"}}};
  const Recorder recorder = Compute();
  EXPECT_EQ(recorder.fingerprints.at(1), "one");
  EXPECT_EQ(recorder.fingerprints.at(-1), "all");
  EXPECT_EQ(recorder.fingerprints.at(0).size(), 64);
}

// Turns weights into numbers that would be noticed.
void Spoil(const std::string& name_part, TinyModel& model) {
  for (TensorToWrite& tensor : model.tensors) {
    if (tensor.name.find(name_part) == std::string::npos) continue;
    tensor.bytes.assign(tensor.bytes.size(), '\xff');
  }
}

TEST_F(AnalyzeTest, NeverRunsExpertsWhoseOutputNobodyNeeds) {
  WriteModel("mixtral", [](TinyModel& model) {
    Spoil("layers.2.block_sparse_moe.experts", model);
  });
  request_.nll = false;
  request_.probes.jacobian.reset();
  for (const double value : Compute().Numbers("layer2/pca/all/eigenvalues")) {
    EXPECT_TRUE(std::isfinite(value));
  }
  EXPECT_EQ(report_.layers_run, 3);
}

TEST_F(AnalyzeTest, RunsEveryLayerWhereGatesOfTheForwardPassChange) {
  WriteModel("mixtral");
  KeepHiddenStates();
  request_.layers = {2};
  request_.nll = false;
  Compute();
  const auto layers_run = [&](bool forward) {
    request_.routing = RoutingChange{
        .rule = {.per_token = 4, .temperature = 0.5}, .forward = forward};
    Compute();
    return report_.layers_run;
  };
  EXPECT_EQ(layers_run(/*forward=*/true), 3);
  EXPECT_EQ(layers_run(/*forward=*/false), 1);
}

TEST_F(AnalyzeTest, GivesTheModelsBytesByTheModelsRule) {
  for (const char* family : {"mixtral", "qwen2_moe"}) {
    WriteModel(family);
    request_.routing.reset();
    request_.probes.spectra.emplace();
    request_.probes.router_term.emplace();
    const Recorder own = Compute();
    for (const bool forward : {true, false}) {
      request_.routing = RoutingChange{
          .rule = {.per_token = 2, .renormalize = true}, .forward = forward};
      ExpectSameBytes(Compute().arrays, own.arrays);
    }
    std::filesystem::remove_all(request_.model_directory);
  }
}

TEST_F(AnalyzeTest, ChangesGatesOfTheForwardPass) {
  WriteModel("mixtral");
  const Recorder own = Compute();
  request_.routing = RoutingChange{
      .rule = {.per_token = 3, .renormalize = true}, .forward = true};
  const Recorder changed = Compute();
  EXPECT_NE(changed.Numbers("nll"), own.Numbers("nll"));
  // As if config.json said so.
  request_.routing.reset();
  WriteModel("mixtral", [](TinyModel& model) {
    model.config["num_experts_per_tok"] = absl::StrCat(3);
  });
  ExpectSameBytes(Compute().arrays, changed.arrays);
}

TEST_F(AnalyzeTest, ChangesGatesOfStatisticsAlone) {
  WriteModel("mixtral");
  const Recorder own = Compute();
  request_.routing = RoutingChange{
      .rule = {.per_token = 3, .renormalize = true}, .forward = false};
  Recorder statistics = Compute();
  EXPECT_EQ(statistics.Numbers("nll"), own.Numbers("nll"));
  // The residual stream is the model's own: what has no gates stays, but for
  // the order of sums.
  EXPECT_EQ(statistics.Numbers("layer2/pca/all/eigenvalues"),
            own.Numbers("layer2/pca/all/eigenvalues"));
  const std::vector<double> norms = own.Numbers("layer2/jacobian_norm/all");
  EXPECT_THAT(statistics.Numbers("layer2/jacobian_norm/all"),
              testing::Pointwise(testing::DoubleNear(1e-5), norms));
  EXPECT_NE(statistics.Numbers("layer2/jacobian_norm/routed"),
            own.Numbers("layer2/jacobian_norm/routed"));
  // In the first layer both have the same hidden states.
  request_.routing->forward = true;
  const Recorder forward = Compute();
  for (const auto& [name, array] : forward.arrays) {
    if (!absl::StartsWith(name, "layer0/")) continue;
    // Sums over the same tokens in another order.
    if (absl::StrContains(name, "jacobian")) {
      EXPECT_THAT(
          statistics.Numbers(name),
          testing::Pointwise(testing::DoubleNear(1e-5), forward.Numbers(name)))
          << name;
    } else {
      EXPECT_EQ(statistics.arrays.at(name).bytes, array.bytes) << name;
    }
  }
}

TEST_F(AnalyzeTest, RunsExpertsOnTokensThatOnlyStatisticsRouteToThem) {
  WriteModel("qwen2_moe");
  request_.probes.jacobian->average = {Weighting::kAll, Weighting::kRouted};
  request_.routing = RoutingChange{.rule = {.per_token = 4}, .forward = false};
  const Recorder soft = Compute();
  EXPECT_THAT(soft.Numbers("layer1/gate_mean"), testing::Each(testing::Gt(0)));
  // Every expert is asked about every token.
  EXPECT_EQ(soft.Numbers("layer1/jacobian_norm/routed"),
            soft.Numbers("layer1/jacobian_norm/all"));
  // Whether the tokens come for `all` or because they are routed there.
  request_.probes.jacobian->average = {Weighting::kRouted};
  EXPECT_EQ(Compute().Numbers("layer1/jacobian_norm/routed"),
            soft.Numbers("layer1/jacobian_norm/routed"));
}

TEST_F(AnalyzeTest, HasNoNanWhereTemperaturesAreExtreme) {
  WriteModel("mixtral");
  for (const double temperature : {1e-300, 1e300}) {
    request_.routing = RoutingChange{
        .rule = {.per_token = 4, .temperature = temperature}, .forward = true};
    const Recorder recorder = Compute();
    EXPECT_TRUE(std::isfinite(recorder.Numbers("nll")[0]));
    for (const char* name :
         {"layer0/gate_mean", "layer0/routing_entropy",
          "layer0/jacobian_cosine/routed", "layer2/jacobian_norm/gate"}) {
      for (const double number : recorder.Numbers(name)) {
        EXPECT_TRUE(std::isfinite(number)) << name << " " << temperature;
      }
    }
  }
}

TEST_F(AnalyzeTest, RejectsRulesThatNoModelCanFollow) {
  WriteModel("mixtral");
  for (const RoutingRule& rule :
       {RoutingRule{.per_token = 0}, RoutingRule{.per_token = 5},
        RoutingRule{.per_token = 2, .temperature = 0},
        RoutingRule{.per_token = 2, .temperature = std::nan("")}}) {
    request_.routing = RoutingChange{.rule = rule};
    EXPECT_TRUE(absl::IsInvalidArgument(Error()));
  }
  WriteModel("llama");
  request_.routing = RoutingChange{.rule = {.per_token = 1}};
  EXPECT_THAT(std::string(Error().message()), HasSubstr("dense"));
}

TEST_F(AnalyzeTest, SaysWhatNullsAndIntervalsLack) {
  WriteModel("mixtral");
  request_.layers = {1};
  EXPECT_THAT(Compute().warnings, testing::IsEmpty());
  request_.probes.nulls = {.random_router = 3, .bootstrap = 40};
  const Recorder few = Compute();
  EXPECT_THAT(few.warnings,
              testing::ElementsAre(HasSubstr("layer 1, intervals: resampled "
                                             "from 12 windows")));
  EXPECT_THAT(few.Numbers("layer1/grassmann/routed/p"),
              testing::Each(testing::AllOf(testing::Ge(0.25), testing::Le(1))));
  // Soft routing leaves a random router nothing to decide.
  request_.routing = RoutingChange{.rule = {.per_token = 4}, .forward = false};
  const Recorder soft = Compute();
  EXPECT_THAT(soft.warnings,
              testing::Contains(HasSubstr("every token goes to every expert")));
  EXPECT_THAT(soft.Numbers("layer1/grassmann/routed/null_mean"),
              testing::Each(testing::IsNan()));
}

TEST_F(AnalyzeTest, HoldsMeansAgainstModelsThatWereNeverTrained) {
  WriteModel("qwen2_moe");
  const Recorder trained = Compute();
  request_.probes.nulls = {.random_weights = 3, .keep_draws = true};
  const Recorder recorder = Compute();
  for (const auto& [name, array] : trained.arrays) {
    EXPECT_EQ(recorder.arrays.at(name).bytes, array.bytes) << name;
  }
  for (const char* quantity :
       {"jacobian_cosine/gate", "jacobian_cosine_corrected/all",
        "grassmann/all_tokens", "pca/routed/effective_rank",
        "pca/all/effective_rank"}) {
    const std::string name = absl::StrCat("layer2/", quantity, "/");
    const std::vector<double> draws =
        recorder.Numbers(name + "random_weights_null_draws");
    ASSERT_EQ(draws.size(), 3);
    EXPECT_NE(draws[0], draws[1]) << quantity;
    EXPECT_NEAR(recorder.Numbers(name + "random_weights_null_mean")[0],
                (draws[0] + draws[1] + draws[2]) / 3, 1e-12);
    EXPECT_GE(recorder.Numbers(name + "random_weights_p")[0], 0.25);
  }
  request_.layers = {2};  // draws do not depend on what else is probed
  const Recorder one = Compute();
  EXPECT_EQ(
      one.Numbers("layer2/grassmann/routed/random_weights_null_draws"),
      recorder.Numbers("layer2/grassmann/routed/random_weights_null_draws"));
}

// The means of a draw are those of a checkpoint with just these weights.
TEST_F(AnalyzeTest, DrawsWhatACheckpointOfTheseWeightsGives) {
  WriteModel("mixtral");
  request_.probes.nulls = {.random_weights = 1, .keep_draws = true};
  request_.seed = 5;
  const Recorder null = Compute();
  const auto model = Checkpoint::Open(request_.model_directory);
  ASSERT_TRUE(model.ok());
  RandomWeights weights(
      **model,
      static_cast<int64_t>(DrawStream(5, DrawKind::kRandomWeights, 0).Next()));
  WriteModel("mixtral", [&](TinyModel& tiny) {
    const auto copy = [&](const TensorView& view) {
      TensorNamed(tiny, view.name)
          .bytes.assign(reinterpret_cast<const char*>(view.bytes.data()),
                        view.bytes.size());
    };
    copy(weights.embedding());
    for (int64_t layer = 0; layer < 3; ++layer) {
      weights.DrawLayer(layer);
      for (const TensorView& view : weights.TensorsOfLayer(layer)) copy(view);
    }
  });
  request_.probes.nulls = {};
  const Recorder drawn = Compute();
  const std::vector<double> ranks =
      drawn.Numbers("layer2/pca/routed/effective_rank");
  double mean = 0;
  for (const double rank : ranks) {
    mean += rank / static_cast<double>(ranks.size());
  }
  EXPECT_NEAR(
      null.Numbers(
          "layer2/pca/routed/effective_rank/random_weights_null_draws")[0],
      mean, 1e-12);
}

TEST_F(AnalyzeTest, NeverRunsLayersBehindTheLastProbedOne) {
  WriteModel("mixtral", [](TinyModel& model) { Spoil("layers.2.", model); });
  request_.nll = false;
  request_.layers = {0, 1};
  EXPECT_THAT(Compute().layers, testing::ElementsAre(0, 1));
  request_.layers = {2};
  const absl::Status status = Error();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("layer 2"));
}

TEST_F(AnalyzeTest, NoticesWeightsThatChangeBetweenTwoRuns) {
  WriteModel("mixtral");
  const Recorder before = Compute();
  WriteModel("mixtral", [](TinyModel& model) {
    TensorNamed(model, "model.embed_tokens.weight").bytes[2] ^= 1;
  });
  EXPECT_NE(before.fingerprints.at(0), Compute().fingerprints.at(0));
}

TEST_F(AnalyzeTest, FingerprintsWhatALayerDependsOn) {
  WriteModel("mixtral");
  const Recorder before = Compute();
  WriteModel("mixtral", [](TinyModel& model) {
    TensorNamed(model, "model.layers.1.self_attn.q_proj.weight").bytes[2] ^= 1;
  });
  const Recorder after = Compute();
  EXPECT_EQ(before.fingerprints.at(0), after.fingerprints.at(0));
  EXPECT_NE(before.fingerprints.at(1), after.fingerprints.at(1));
  EXPECT_NE(before.fingerprints.at(2), after.fingerprints.at(2));
  EXPECT_NE(before.fingerprints.at(-1), after.fingerprints.at(-1));
}

TEST_F(AnalyzeTest, DoesNotCareHowExpertsAreStored) {
  WriteModel("qwen3_moe");
  const Recorder apart = Compute();
  std::filesystem::remove_all(request_.model_directory);
  WriteModel("qwen3_moe", [](TinyModel& model) { FuseExperts(model); });
  ExpectSameBytes(apart.arrays, Compute().arrays);
}

TEST_F(AnalyzeTest, TreatsADenseModelAsOneExpert) {
  WriteModel("llama");
  const Recorder recorder = Compute();
  EXPECT_EQ(recorder.arrays.at("layer1/jacobian_cosine/all").shape,
            (std::vector<int64_t>{1, 1}));
  // With one gate of 1, every weighting is the same.
  EXPECT_EQ(recorder.Numbers("layer1/jacobian_norm/all"),
            recorder.Numbers("layer1/jacobian_norm/gate"));
}

TEST_F(AnalyzeTest, ComparesTheSharedExpertWithTheRoutedOnes) {
  WriteModel("qwen2_moe");
  const Recorder recorder = Compute();
  EXPECT_EQ(recorder.Numbers("layer0/shared/jacobian_cosine/all").size(), 4);
  EXPECT_GT(recorder.Numbers("layer0/shared/jacobian_norm/all")[0], 0);
}

TEST_F(AnalyzeTest, LeavesOutTheFirstPositionsOfEachWindow) {
  WriteModel("mixtral");
  request_.skip_first = 4;
  const Recorder recorder = Compute();
  int64_t total = 0;
  std::vector<int64_t> counts(4);
  std::memcpy(counts.data(),
              recorder.arrays.at("layer0/expert_count").bytes.data(), 32);
  for (const int64_t count : counts) total += count;
  EXPECT_EQ(total, 12 * (16 - 4) * 2);
}

TEST_F(AnalyzeTest, WarnsOfExpertsWithTooFewTokens) {
  WriteModel("mixtral");
  request_.token_ids.assign(16, 3);
  request_.token_ids[5] = 4;
  const Recorder recorder = Compute();
  ASSERT_FALSE(recorder.warnings.empty());
  EXPECT_THAT(recorder.warnings[0], HasSubstr("layer 0, expert "));
  bool any_nan = false;
  for (const double distance : recorder.Numbers("layer0/grassmann/routed")) {
    any_nan = any_nan || std::isnan(distance);
  }
  EXPECT_TRUE(any_nan);
}

TEST_F(AnalyzeTest, StaysCloseInBfloat16) {
  WriteModel("mixtral");
  const double exact = Compute().Numbers("nll")[0];
  request_.precision = Precision::kBFloat16;
  EXPECT_NEAR(Compute().Numbers("nll")[0], exact, 0.01);
}

// What PCA is of are the examples themselves: nothing stands in front.
TEST_F(AnalyzeTest, ProbesABlockOfExpertsOnItsExamples) {
  for (const char* family : {"moeprobe_mlp", "moeprobe_gated_mlp"}) {
    WriteModel(family);
    request_.layers = {0};
    request_.nll = false;
    request_.probes.spectra = SpectraOptions();
    request_.probes.router_term = RouterTermOptions();
    const Recorder recorder = Compute();
    EXPECT_EQ(recorder.Numbers("layer0/jacobian_cosine/all").size(), 16U);
    const auto model = Checkpoint::Open(request_.model_directory);
    const at::Tensor examples =
        StoredWeight((*model)->embedding())
            .index_select(0, at::tensor(request_.token_ids, at::kInt))
            .to(at::kDouble);
    const double variance = examples.var(0).sum().item<double>();
    const std::vector<double> eigenvalues =
        recorder.Numbers("layer0/pca/all/eigenvalues");
    EXPECT_NEAR(std::accumulate(eigenvalues.begin(), eigenvalues.end(), 0.0),
                variance, 1e-9 * variance);  // sums in float64
  }
}

TEST_F(AnalyzeTest, RejectsTheLossOfAModelThatPredictsNoToken) {
  WriteModel("moeprobe_mlp");
  request_.layers = {0};
  EXPECT_TRUE(absl::IsInvalidArgument(Error()));
  EXPECT_THAT(std::string(Error().message()),
              HasSubstr("nll: the model has no next token to predict"));
  request_.nll = false;
  request_.probes.interventions = InterventionOptions();
  EXPECT_THAT(std::string(Error().message()), HasSubstr("interventions: the"));
}

TEST_F(AnalyzeTest, RejectsTokensOutsideTheVocabulary) {
  WriteModel("mixtral");
  request_.token_ids[7] = 16;
  const absl::Status status = Error();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("token id 16"));
}

TEST_F(AnalyzeTest, RejectsLayersTheModelLacks) {
  WriteModel("mixtral");
  request_.layers = {1, 3};
  EXPECT_THAT(std::string(Error().message()), HasSubstr("got 3"));
}

TEST_F(AnalyzeTest, RejectsPartialWindows) {
  WriteModel("mixtral");
  request_.token_ids.pop_back();
  EXPECT_TRUE(absl::IsInvalidArgument(Error()));
}

TEST_F(AnalyzeTest, SaysThatThereIsNoModel) {
  EXPECT_TRUE(absl::IsNotFound(Error()));
}

}  // namespace
}  // namespace moeprobe

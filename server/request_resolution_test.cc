#include "server/request_resolution.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "server/testing/catalog_fixture.h"
#include "server/violations.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class RequestResolutionTest : public CatalogFixture {
 protected:
  RequestResolutionTest() {
    std::vector<int32_t> ids(100);
    std::iota(ids.begin(), ids.end(), 0);
    AddDataset("ids", false, EncodeTokenIds(ids));
    AddDataset("text", true, "some text");
    spec_.set_model("mixtral");
    spec_.add_data()->set_ids("ids");
    spec_.mutable_data(0)->set_sequence_length(10);
  }

  v1::Job Asked() const {
    v1::Job job;
    *job.mutable_analyze() = spec_;
    return job;
  }

  ResolvedRequest Resolve() { return CatalogFixture::Resolve(Asked()); }

  void AddAxis(const std::string& field,
               const std::vector<std::string>& values) {
    v1::SweepAxis& axis = *spec_.add_sweep();
    axis.set_field(field);
    for (const std::string& value : values) axis.add_values(value);
  }

  std::vector<std::string> Fields() { return CatalogFixture::Fields(Asked()); }

  absl::StatusCode Code() { return Resolve().violations.ToStatus().code(); }
  std::string Message() {
    return std::string(Resolve().violations.ToStatus().message());
  }

  v1::AnalyzeSpec spec_;
};

TEST_F(RequestResolutionTest, FillsInEveryDefault) {
  const ResolvedRequest resolved = Resolve();
  EXPECT_THAT(resolved.violations.list(), IsEmpty());
  const v1::AnalyzeSpec& spec = resolved.job.analyze();
  EXPECT_THAT(spec.layers().layers(), ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_TRUE(spec.probes().has_routing());
  EXPECT_THAT(spec.probes().jacobian().average(), ElementsAre(1, 2, 3));
  EXPECT_TRUE(spec.probes().jacobian().has_projections());
  EXPECT_EQ(spec.probes().jacobian().projections(), 0);
  EXPECT_EQ(spec.probes().jacobian().tokens(), 16);
  EXPECT_TRUE(spec.probes().jacobian().has_by_tokens());
  EXPECT_THAT(spec.probes().pca().conventions(),
              ElementsAre(v1::CONVENTION_ROUTED));
  EXPECT_EQ(spec.probes().pca().components(), 5);
  EXPECT_TRUE(spec.probes().pca().has_basis());
  EXPECT_FALSE(spec.probes().has_spectra());
  EXPECT_EQ(spec.data(0).tokens(), 16384);
  EXPECT_TRUE(spec.data(0).has_skip_first());
  EXPECT_THAT(spec.data(0).ids(), HasSubstr("datasets/"));
  EXPECT_EQ(spec.precision(), v1::PRECISION_FLOAT32);
  EXPECT_EQ(spec.device(), v1::DEVICE_AUTO);
  EXPECT_TRUE(spec.has_seed());
  EXPECT_TRUE(spec.has_nll());
}

TEST_F(RequestResolutionTest, IsTheSameWhenResolvedAgain) {
  const v1::AnalyzeSpec once = Resolve().job.analyze();
  spec_ = once;
  EXPECT_EQ(Resolve().job.analyze().SerializeAsString(),
            once.SerializeAsString());
}

TEST_F(RequestResolutionTest, PicksEarlyMiddleAndLateLayers) {
  spec_.mutable_layers()->set_preset(
      v1::LayerSelection::PRESET_EARLY_MIDDLE_LATE);
  EXPECT_THAT(Resolve().job.analyze().layers().layers(), ElementsAre(3, 4));
  spec_.set_model("llama");
  EXPECT_THAT(Resolve().job.analyze().layers().layers(), ElementsAre(2, 3));
}

TEST_F(RequestResolutionTest, NamesEveryLayerThatIsWrong) {
  for (const int layer : {1, 1, 0, 7, -1}) {
    spec_.mutable_layers()->add_layers(layer);
  }
  EXPECT_THAT(Fields(),
              ElementsAre("layers[1]", "layers[2]", "layers[3]", "layers[4]"));
  EXPECT_THAT(Message(),
              HasSubstr("layers[3]: 7 is no layer, the model has 7"));
}

TEST_F(RequestResolutionTest, ReportsEverythingAtOnce) {
  spec_.set_name("bell\a");
  spec_.set_model("mixtrall");
  spec_.set_seed(-1);
  spec_.set_precision(static_cast<v1::Precision>(9));
  spec_.set_device(static_cast<v1::Device>(9));
  spec_.mutable_data(0)->set_sequence_length(1);
  spec_.mutable_data(0)->set_skip_first(-1);
  spec_.mutable_data(0)->set_tokens(0);
  EXPECT_THAT(Fields(), ElementsAre("name", "precision", "device", "seed",
                                    "data[0].sequence_length", "data[0].tokens",
                                    "data[0].skip_first", "model"));
  EXPECT_THAT(Message(), HasSubstr("did you mean \"mixtral\"?"));
  EXPECT_EQ(Code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(RequestResolutionTest, ChecksProbes) {
  auto& probes = *spec_.mutable_probes();
  EXPECT_THAT(Fields(), ElementsAre("probes"));
  probes.mutable_jacobian()->add_average(v1::WEIGHTING_ALL);
  probes.mutable_jacobian()->add_average(v1::WEIGHTING_ALL);
  probes.mutable_jacobian()->add_average(v1::WEIGHTING_UNSPECIFIED);
  probes.mutable_jacobian()->set_projections(1025);
  probes.mutable_jacobian()->set_tokens(-1);
  probes.mutable_pca()->add_conventions(static_cast<v1::Convention>(4));
  probes.mutable_pca()->set_components(9);
  EXPECT_THAT(
      Fields(),
      ElementsAre("probes.jacobian.average[1]", "probes.jacobian.average[2]",
                  "probes.jacobian.projections", "probes.jacobian.tokens",
                  "probes.pca.conventions[0]", "probes.pca.components"));
}

TEST_F(RequestResolutionTest, AveragesOverAllTokensForAveragesByTokens) {
  auto& jacobian = *spec_.mutable_probes()->mutable_jacobian();
  jacobian.set_by_tokens(true);
  EXPECT_THAT(Fields(), IsEmpty());
  jacobian.add_average(v1::WEIGHTING_ROUTED);
  EXPECT_THAT(Fields(), ElementsAre("probes.jacobian.by_tokens"));
}

TEST_F(RequestResolutionTest, FillsInTheDefaultsOfSpectra) {
  spec_.mutable_probes()->mutable_spectra();
  const v1::AnalyzeSpec spec = Resolve().job.analyze();
  EXPECT_EQ(spec.probes().spectra().tokens_per_expert(), 8);
  EXPECT_EQ(spec.probes().spectra().top(), 16);
  EXPECT_FALSE(spec.probes().has_routing());
  spec_.mutable_probes()->mutable_spectra()->set_tokens_per_expert(-1);
  EXPECT_EQ(Resolve().job.analyze().probes().spectra().tokens_per_expert(), -1);
}

TEST_F(RequestResolutionTest, ChecksSpectra) {
  spec_.mutable_probes()->mutable_spectra()->set_tokens_per_expert(0);
  spec_.mutable_probes()->mutable_spectra()->set_top(0);
  EXPECT_THAT(Fields(), ElementsAre("probes.spectra.tokens_per_expert",
                                    "probes.spectra.top"));
}

TEST_F(RequestResolutionTest, FillsInAndChecksTheRouterTerm) {
  v1::RouterTermProbe& term = *spec_.mutable_probes()->mutable_router_term();
  const v1::AnalyzeSpec spec = Resolve().job.analyze();
  EXPECT_EQ(spec.probes().router_term().tokens(), 64);
  EXPECT_EQ(spec.probes().router_term().at(), v1::TOKEN_PLACEMENT_SPREAD);
  term.set_tokens(0);
  term.set_at(static_cast<v1::TokenPlacement>(3));
  EXPECT_THAT(Fields(), ElementsAre("probes.router_term.tokens",
                                    "probes.router_term.at"));
}

TEST_F(RequestResolutionTest, FillsInAndChecksNulls) {
  const v1::NullSpec nulls = Resolve().job.analyze().nulls();
  EXPECT_EQ(nulls.random_router(), 99);
  EXPECT_EQ(nulls.bootstrap(), 200);
  EXPECT_EQ(nulls.permutations(), 0);
  EXPECT_TRUE(nulls.has_permutations() && nulls.has_random_weights() &&
              nulls.has_keep_draws());
  spec_.mutable_nulls()->set_random_router(0);
  spec_.mutable_nulls()->set_bootstrap(0);
  EXPECT_THAT(Fields(), IsEmpty());
  EXPECT_EQ(Resolve().job.analyze().nulls().random_router(), 0);
  spec_.mutable_nulls()->set_random_router(-1);
  spec_.mutable_nulls()->set_permutations(10000);
  spec_.mutable_nulls()->set_random_weights(10000);
  spec_.mutable_nulls()->set_bootstrap(39);
  EXPECT_THAT(Fields(), ElementsAre("nulls.random_router", "nulls.permutations",
                                    "nulls.random_weights", "nulls.bootstrap"));
}

TEST_F(RequestResolutionTest, FillsInAndChecksRouting) {
  EXPECT_FALSE(Resolve().job.analyze().has_routing());
  spec_.mutable_routing();
  const v1::RoutingSpec routing = Resolve().job.analyze().routing();
  EXPECT_EQ(routing.select(), v1::ROUTING_SELECTION_TOP_K);
  EXPECT_EQ(routing.top_k(), 2);
  EXPECT_EQ(routing.temperature(), 1);
  EXPECT_EQ(routing.normalize(), v1::GATE_NORMALIZATION_MODEL);
  EXPECT_EQ(routing.forward(), v1::FORWARD_GATES_CHANGED);
  spec_.mutable_routing()->set_top_k(5);
  spec_.mutable_routing()->set_temperature(0);
  EXPECT_THAT(Fields(), ElementsAre("routing.temperature", "routing.top_k"));
  EXPECT_THAT(Message(), HasSubstr("expected 1 to 4, the model's experts"));
  spec_.mutable_routing()->set_top_k(0);
  spec_.mutable_routing()->set_temperature(std::nan(""));
  EXPECT_THAT(Fields(), ElementsAre("routing.temperature", "routing.top_k"));
  spec_.mutable_routing()->set_temperature(2);
  spec_.mutable_routing()->set_top_k(4);
  EXPECT_THAT(Fields(), IsEmpty());
  spec_.mutable_routing()->set_select(v1::ROUTING_SELECTION_ALL);
  EXPECT_THAT(Fields(), ElementsAre("routing.top_k"));
  spec_.mutable_routing()->clear_top_k();
  EXPECT_FALSE(Resolve().job.analyze().routing().has_top_k());
  spec_.set_model("llama");
  EXPECT_THAT(Message(), HasSubstr("routing: the model is dense"));
}

TEST_F(RequestResolutionTest, ResolvesSweeps) {
  AddAxis("routing.temperature", {"0.50", "2"});
  AddAxis("routing.select", {"top_k", "all"});
  AddAxis("data.sequence_length", {"5", "20"});
  const ResolvedRequest resolved = Resolve();
  EXPECT_THAT(resolved.violations.list(), IsEmpty());
  ASSERT_EQ(resolved.job.analyze().sweep_size(), 3);
  EXPECT_THAT(resolved.job.analyze().sweep(0).values(),
              ElementsAre("0.5", "2.0"));
  EXPECT_EQ(resolved.job.analyze().routing().top_k(), 2);
  spec_ = resolved.job.analyze();
  EXPECT_EQ(Resolve().job.analyze().SerializeAsString(),
            spec_.SerializeAsString());
}

TEST_F(RequestResolutionTest, HoldsEveryCellOfASweepAgainstTheModel) {
  AddAxis("routing.top_k", {"1", "4", "5"});
  AddAxis("routing.temperature", {"0", "1"});
  EXPECT_THAT(Fields(), ElementsAre("sweep.routing.temperature[0]",
                                    "sweep.routing.top_k[2]"));
  spec_.clear_sweep();
  AddAxis("data.sequence_length", {"10", "1"});
  AddAxis("probes.pca.components", {"9"});
  EXPECT_THAT(Fields(), ElementsAre("sweep.probes.pca.components[0]",
                                    "sweep.data.sequence_length[1]"));
  spec_.clear_sweep();
  AddAxis("data.skip_first", {"0"});
  AddAxis("routing.top_k", {"1"});
  spec_.mutable_routing()->set_select(v1::ROUTING_SELECTION_ALL);
  EXPECT_THAT(Message(), HasSubstr("sweep.routing.top_k[0]: has no meaning"));
}

TEST_F(RequestResolutionTest, HoldsNothingAgainstAWindowThatCannotBe) {
  for (const int64_t length :
       {std::numeric_limits<int64_t>::min(), int64_t{-1}, int64_t{0},
        std::numeric_limits<int64_t>::max()}) {
    spec_.mutable_data(0)->set_sequence_length(length);
    EXPECT_THAT(Fields(), ElementsAre("data[0].sequence_length"));
  }
}

TEST_F(RequestResolutionTest, ShowsAxesAsTextOfOneLine) {
  AddAxis("se\x1b[31med\n", {"1"});
  AddAxis(std::string(1000, 'x'), {"1"});
  AddAxis("", {"1"});
  EXPECT_THAT(
      Fields(),
      ElementsAre("sweep.\"se\\x1b[31med\\n\"",
                  "sweep.\"" + std::string(200, 'x') + "...\"", "sweep.\"\""));
}

TEST_F(RequestResolutionTest, NamesAxesThatAreNone) {
  AddAxis("routing.temprature", {"1"});
  AddAxis("device", {"cpu"});
  AddAxis("seed", {});
  AddAxis("precision", {"float32", "float16", "float32"});
  AddAxis("precision", {"float32"});
  AddAxis("probes.spectra.top", {"4"});
  EXPECT_THAT(Fields(), ElementsAre("sweep.routing.temprature", "sweep.device",
                                    "sweep.seed", "sweep.precision[1]",
                                    "sweep.precision[2]", "sweep.precision",
                                    "sweep.probes.spectra.top"));
  EXPECT_THAT(Message(), HasSubstr("did you mean routing.temperature?"));
}

TEST_F(RequestResolutionTest, BoundsSweeps) {
  std::vector<std::string> seeds;
  for (int seed = 0; seed < 33; ++seed) seeds.push_back(absl::StrCat(seed));
  AddAxis("seed", seeds);
  EXPECT_THAT(Fields(), IsEmpty());
  AddAxis("precision", {"float32", "bfloat16"});
  EXPECT_THAT(Message(), HasSubstr("sweep: 66 cells, expected at most 64"));
}

TEST_F(RequestResolutionTest, FillsInAndChecksTheRedundancyReport) {
  v1::RedundancyProbe& probe = *spec_.mutable_probes()->mutable_redundancy();
  const v1::AnalyzeSpec spec = Resolve().job.analyze();
  EXPECT_EQ(spec.probes().redundancy().tokens(), 256);
  EXPECT_EQ(spec.probes().redundancy().rank(), 128);
  EXPECT_TRUE(spec.probes().redundancy().weights());
  probe.set_tokens(-1);
  probe.set_rank(0);
  EXPECT_THAT(Fields(), ElementsAre("probes.redundancy.tokens",
                                    "probes.redundancy.rank"));
  probe.set_rank(4);
  probe.set_tokens(0);
  EXPECT_THAT(Fields(), IsEmpty());
  probe.set_weights(false);
  EXPECT_THAT(Fields(), ElementsAre("probes.redundancy"));
}

TEST_F(RequestResolutionTest, FillsInAndChecksInterventions) {
  v1::ProbeSpec& probes = *spec_.mutable_probes();
  probes.mutable_redundancy();
  v1::InterventionProbe& probe = *probes.mutable_interventions();
  const v1::AnalyzeSpec spec = Resolve().job.analyze();
  EXPECT_EQ(spec.probes().interventions().pairs(), 8);
  EXPECT_THAT(spec.probes().interventions().kinds(), ElementsAre(1, 2, 3));
  EXPECT_EQ(spec.probes().interventions().tokens(), 2048);
  probe.set_pairs(0);
  probe.add_kinds(static_cast<v1::InterventionKind>(4));
  probe.set_tokens(0);
  EXPECT_THAT(Fields(), ElementsAre("probes.interventions.pairs",
                                    "probes.interventions.kinds[0]",
                                    "probes.interventions.tokens"));
}

TEST_F(RequestResolutionTest, WantsSomethingToRankInterventionsBy) {
  v1::ProbeSpec& probes = *spec_.mutable_probes();
  probes.mutable_interventions();
  EXPECT_THAT(Fields(), ElementsAre("probes.interventions"));
  probes.mutable_redundancy()->set_tokens(0);
  EXPECT_THAT(Fields(), ElementsAre("probes.interventions"));
  probes.mutable_jacobian()->add_average(v1::WEIGHTING_GATE);
  EXPECT_THAT(Fields(), ElementsAre("probes.interventions"));
  probes.mutable_jacobian()->add_average(v1::WEIGHTING_ROUTED);
  EXPECT_THAT(Fields(), IsEmpty());
}

TEST_F(RequestResolutionTest, CountsCharactersOfANameNotBytes) {
  std::string name;
  for (int i = 0; i < 200; ++i) name += "\u00e4";
  spec_.set_name(name);
  EXPECT_THAT(Fields(), IsEmpty());
  spec_.set_name(name + "x");
  EXPECT_THAT(Fields(), ElementsAre("name"));
}

TEST_F(RequestResolutionTest, SaysWhatIsNotThere) {
  spec_.mutable_data(0)->set_ids("idz");
  EXPECT_EQ(Code(), absl::StatusCode::kNotFound);
  spec_.mutable_data(0)->set_ids("datasets/" + std::string(64, '0'));
  EXPECT_EQ(Code(), absl::StatusCode::kNotFound);
  spec_.mutable_data(0)->set_ids("ids");
  spec_.set_baseline("nothing-like-it");
  EXPECT_THAT(Fields(), ElementsAre("baseline"));
  EXPECT_EQ(Code(), absl::StatusCode::kNotFound);
  spec_.set_baseline("broken");
  EXPECT_EQ(Code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RequestResolutionTest, WantsDataOfTheRightKind) {
  spec_.mutable_data(0)->set_text("ids");
  EXPECT_THAT(Fields(), ElementsAre("data[0].text"));
  spec_.mutable_data(0)->clear_source();
  EXPECT_THAT(Fields(), ElementsAre("data[0]"));
  spec_.clear_data();
  EXPECT_THAT(Fields(), ElementsAre("data"));
}

TEST_F(RequestResolutionTest, WantsATokenizerForText) {
  spec_.mutable_data(0)->set_text("text");
  EXPECT_THAT(Message(), HasSubstr("no tokenizer.json"));
  WriteBytes(root_ / "mixtral/tokenizer.json", "{}");
  EXPECT_THAT(Fields(), IsEmpty());
}

TEST_F(RequestResolutionTest, ReadsNoTokenizerOfATerabyte) {
  spec_.mutable_data(0)->set_text("text");
  WriteBytes(root_ / "mixtral/tokenizer.json", "{}");
  std::filesystem::resize_file(root_ / "mixtral/tokenizer.json",
                               uintmax_t{1} << 40);
  EXPECT_THAT(Message(), HasSubstr("tokenizer.json"));
  EXPECT_EQ(Code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RequestResolutionTest, WantsOneWholeWindow) {
  spec_.mutable_data(0)->set_sequence_length(101);
  EXPECT_THAT(Fields(), ElementsAre("data[0]"));
  spec_.mutable_data(0)->set_sequence_length(100);
  EXPECT_THAT(Fields(), IsEmpty());
}

TEST_F(RequestResolutionTest, TakesNoWindowBeyondLearnedPositions) {
  WriteTinyModel(root_ / "learned",
                 MakeTinyModel("moeprobe", {.position_count = 10}));
  spec_.set_model("learned");
  EXPECT_THAT(Fields(), IsEmpty());
  spec_.mutable_data(0)->set_sequence_length(11);
  EXPECT_THAT(Fields(), ElementsAre("data[0].sequence_length"));
  EXPECT_THAT(Message(), HasSubstr("11, expected at most 10"));
}

TEST_F(RequestResolutionTest, AsksNoModelOfExamplesForTheNextToken) {
  WriteTinyModel(root_ / "mlp", MakeTinyModel("moeprobe_mlp"));
  spec_.set_model("mlp");
  EXPECT_THAT(Fields(), IsEmpty());
  spec_.set_nll(true);
  spec_.mutable_probes()->mutable_redundancy();
  spec_.mutable_probes()->mutable_interventions();
  EXPECT_THAT(Fields(), ElementsAre("nll", "probes.interventions"));
  EXPECT_THAT(Message(), HasSubstr("has no next token to predict"));
}

TEST_F(RequestResolutionTest, TakesABaselineOfAnotherDepth) {
  spec_.set_baseline("llama");
  spec_.mutable_layers()->add_layers(6);
  const ResolvedRequest resolved = Resolve();
  EXPECT_THAT(resolved.violations.list(), IsEmpty());
  EXPECT_THAT(resolved.warnings, IsEmpty());
}

TEST_F(RequestResolutionTest, WarnsOnceOfCodeThatIsNotRun) {
  TinyModel model = MakeTinyModel("mixtral", {.layer_count = 7});
  model.config["auto_map"] = R"({"AutoModelForCausalLM": "modeling.Model"})";
  WriteTinyModel(root_ / "mixtral", model);
  const ResolvedRequest resolved = Resolve();
  EXPECT_THAT(resolved.violations.list(), IsEmpty());
  EXPECT_THAT(resolved.warnings, ElementsAre(HasSubstr("auto_map")));
}

TEST_F(RequestResolutionTest, WarnsOfABaselineWithAnotherTokenizer) {
  WriteBytes(root_ / "mixtral/tokenizer.json", "{}");
  WriteBytes(root_ / "llama/tokenizer.json", "{ }");
  spec_.set_baseline("llama");
  spec_.mutable_layers()->add_layers(0);
  spec_.mutable_data(0)->set_text("text");
  EXPECT_THAT(Resolve().warnings, ElementsAre(HasSubstr("another tokenizer")));
  WriteBytes(root_ / "llama/tokenizer.json", "{}");
  EXPECT_THAT(Resolve().warnings, IsEmpty());
}

TEST_F(RequestResolutionTest, NoticesThatAModelWasChanged) {
  EXPECT_THAT(Fields(), IsEmpty());
  WriteBytes(root_ / "mixtral/config.json", "{}");
  EXPECT_THAT(Fields(), ElementsAre("model"));
}

TEST_F(RequestResolutionTest, BoundsWhatItSaysOfAHostileRequest) {
  for (int i = 0; i < 100'000; ++i) spec_.mutable_layers()->add_layers(-1);
  EXPECT_THAT(Fields(), SizeIs(100));
}

}  // namespace
}  // namespace moeprobe

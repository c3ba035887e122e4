#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/request/request_reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/training.pb.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// What every experiment needs, on lines 1 to 3.
constexpr std::string_view kHead =
    "kind: train\nvariants: {dense: {block: dense}, moe: {}}\n"
    "data: {text: t}\n";

v1::TrainSpec Read(const std::string& text) {
  const auto request = ReadRequest(text, "f.yaml");
  EXPECT_TRUE(request.ok()) << request.status();
  return request.ok() ? request->job.train() : v1::TrainSpec();
}

std::string ErrorOf(const std::string& text) {
  return std::string(ReadRequest(text, "f.yaml").status().message());
}

std::string ErrorAfterHead(const std::string& rest) {
  return ErrorOf(absl::StrCat(std::string(kHead), rest));
}

std::string ErrorOfVariants(const std::string& variants) {
  return ErrorOf(
      absl::StrCat("kind: train\ndata: {text: t}\nvariants: ", variants, "\n"));
}

TEST(ReadTrainSpecTest, ReadsEveryKey) {
  const v1::TrainSpec spec = Read(R"(
kind: train
name: a name
task: language_model
model: {layers: 2, width: 64, heads: 2, context: 32, experts: 4,
        expert_width: 96, expert: gated_mlp, init: torch}
variants:
  top-2: {block: moe, routing: {select: top_k, top_k: 2, temperature: 0.5}}
  dense: {block: dense, match: total}
  soft:  {block: moe, routing: {select: all}}
seeds: [3, 0]
data: {ids: tokens.npy, vocabulary: some-model, held_out: 0.25}
optimizer: {name: adam, learning_rate: 3.0e-4, decay: cosine, warmup: 10,
            batch: 16, steps: 100, clip: 1, balance_loss: 0.01}
probe:
  every: 20
  evaluate_on: train
  tokens: all
  probes: {routing: {}, spectra: {tokens_per_expert: all}}
  nulls: {random_weights: 3}
  seed: 7
swap_routing: [soft, top-2]
checkpoint: {every: 50}
)");
  EXPECT_EQ(spec.name(), "a name");
  EXPECT_EQ(spec.task(), v1::TRAINING_TASK_LANGUAGE_MODEL);
  EXPECT_EQ(spec.model().layers(), 2);
  EXPECT_EQ(spec.model().width(), 64);
  EXPECT_EQ(spec.model().heads(), 2);
  EXPECT_EQ(spec.model().context(), 32);
  EXPECT_EQ(spec.model().experts(), 4);
  EXPECT_EQ(spec.model().expert_width(), 96);
  EXPECT_EQ(spec.model().expert(), v1::EXPERT_FORM_GATED_MLP);
  EXPECT_EQ(spec.model().init(), v1::INITIAL_WEIGHTS_TORCH);
  EXPECT_THAT(spec.seeds(), ElementsAre(3, 0));
  EXPECT_EQ(spec.data().ids(), "tokens.npy");
  EXPECT_EQ(spec.data().vocabulary(), "some-model");
  EXPECT_EQ(spec.data().held_out(), 0.25);
  EXPECT_EQ(spec.optimizer().name(), v1::OPTIMIZER_NAME_ADAM);
  EXPECT_EQ(spec.optimizer().learning_rate(), 3e-4);
  EXPECT_EQ(spec.optimizer().decay(), v1::RATE_DECAY_COSINE);
  EXPECT_EQ(spec.optimizer().warmup(), 10);
  EXPECT_EQ(spec.optimizer().batch(), 16);
  EXPECT_EQ(spec.optimizer().steps(), 100);
  EXPECT_EQ(spec.optimizer().clip(), 1);
  EXPECT_EQ(spec.optimizer().balance_loss(), 0.01);
  EXPECT_EQ(spec.probe().every(), 20);
  EXPECT_EQ(spec.probe().evaluate_on(), v1::EVALUATION_TEXT_TRAIN);
  EXPECT_EQ(spec.probe().tokens(), -1);
  EXPECT_TRUE(spec.probe().probes().has_routing());
  EXPECT_EQ(spec.probe().probes().spectra().tokens_per_expert(), -1);
  EXPECT_EQ(spec.probe().nulls().random_weights(), 3);
  EXPECT_EQ(spec.probe().seed(), 7);
  EXPECT_THAT(spec.swap_routing(), ElementsAre("soft", "top-2"));
  EXPECT_EQ(spec.checkpoint().every(), 50);
}

TEST(ReadTrainSpecTest, ReadsEveryKeyOfExamples) {
  const v1::TrainSpec spec = Read(R"(
kind: train
task: mlp
variants: {a: {}}
data:
  synthetic: {examples: 512, clusters: 3, separation: 0.5, teacher: shared,
              teacher_width: 16, objective: classification, outputs: 4,
              noise: 0.25, seed: 9}
  held_out: 0.5
)");
  EXPECT_EQ(spec.task(), v1::TRAINING_TASK_MLP);
  EXPECT_EQ(spec.data().held_out(), 0.5);
  const v1::SyntheticData& data = spec.data().synthetic();
  EXPECT_EQ(data.examples(), 512);
  EXPECT_EQ(data.clusters(), 3);
  EXPECT_EQ(data.separation(), 0.5);
  EXPECT_EQ(data.teacher(), v1::SYNTHETIC_TEACHER_SHARED);
  EXPECT_EQ(data.teacher_width(), 16);
  EXPECT_EQ(data.objective(), v1::LEARNING_OBJECTIVE_CLASSIFICATION);
  EXPECT_EQ(data.outputs(), 4);
  EXPECT_EQ(data.noise(), 0.25);
  EXPECT_EQ(data.seed(), 9);
}

TEST(ReadTrainSpecTest, TakesExamplesWithoutAWordOnThem) {
  const v1::TrainSpec spec =
      Read("kind: train\nvariants: {a: {}}\ndata: {synthetic: {}}\n");
  EXPECT_TRUE(spec.data().has_synthetic());
  EXPECT_FALSE(spec.data().synthetic().has_examples());
}

TEST(ReadTrainSpecTest, KeepsTheOrderOfVariants) {
  const v1::TrainSpec spec = Read(
      "kind: train\ndata: {text: t}\nvariants:\n"
      "  soft: {block: moe, routing: {select: all}}\n"
      "  dense: {block: dense, match: active}\n"
      "  10: {}\n");
  ASSERT_EQ(spec.variants_size(), 3);
  EXPECT_EQ(spec.variants(0).name(), "soft");
  EXPECT_EQ(spec.variants(0).block(), v1::BLOCK_MOE);
  EXPECT_EQ(spec.variants(0).routing().select(), v1::ROUTING_SELECTION_ALL);
  EXPECT_EQ(spec.variants(1).name(), "dense");
  EXPECT_EQ(spec.variants(1).match(), v1::DENSE_MATCH_ACTIVE);
  EXPECT_EQ(spec.variants(2).name(), "10");
  EXPECT_FALSE(spec.variants(2).has_routing());
}

TEST(ReadTrainSpecTest, LeavesUnsetWhatTheFileLeavesOut) {
  const v1::TrainSpec spec = Read(std::string(kHead));
  EXPECT_FALSE(spec.has_model());
  EXPECT_FALSE(spec.has_optimizer());
  EXPECT_FALSE(spec.has_probe());
  EXPECT_FALSE(spec.has_checkpoint());
  EXPECT_TRUE(spec.seeds().empty());
  EXPECT_FALSE(spec.data().has_held_out());
  EXPECT_EQ(spec.task(), v1::TRAINING_TASK_UNSPECIFIED);
}

TEST(ReadTrainSpecTest, TakesVariantsThatFollowTheirNames) {
  EXPECT_THAT(Read("kind: train\nswap_routing: [a]\ndata: {text: t}\n"
                   "variants: {a: {}}\n")
                  .swap_routing(),
              ElementsAre("a"));
}

TEST(ReadTrainSpecTest, NeedsVariantsAndData) {
  EXPECT_EQ(ErrorOf("kind: train\ndata: {text: t}\n"),
            "f.yaml:1:1: the key \"variants\" is missing");
  EXPECT_EQ(ErrorOf("kind: train\nvariants: {a: {}}\n"),
            "f.yaml:1:1: the key \"data\" is missing");
}

// A text, how its error starts and goes on.
struct BadText {
  std::string text;
  std::string prefix;
  std::string part;
};

void ExpectErrors(const std::vector<BadText>& cases,
                  std::string (*error)(const std::string&)) {
  for (const BadText& bad : cases) {
    const std::string message = error(bad.text);
    EXPECT_THAT(message, StartsWith(bad.prefix)) << bad.text;
    EXPECT_THAT(message, HasSubstr(bad.part)) << bad.text;
  }
}

TEST(ReadTrainSpecTest, NamesTheKeyThatWasProbablyMeant) {
  // NOLINTBEGIN(modernize-use-designated-initializers): rows of a table.
  ExpectErrors({{"optimiser: {}", "f.yaml:4:1: ", "mean \"optimizer\"?"},
                {"layers: all", "f.yaml:4:1: ", "unknown key \"layers\""},
                {"optimizer: {step: 5}", "f.yaml:4:13: ",
                 R"("step" in optimizer; did you mean "steps"?)"},
                {"probe: {evry: 5}", "f.yaml:4:9: ", "mean \"every\"?"},
                {"probe: {probes: {pca: {component: 5}}}",
                 "f.yaml:4:24: ", "in probe.probes.pca; did you mean"},
                {"checkpoint: {steps: 5}", "f.yaml:4:14: ", "unknown key"}},
               ErrorAfterHead);
  // NOLINTEND(modernize-use-designated-initializers)
}

TEST(ReadTrainSpecTest, RefusesWrongTypes) {
  // NOLINTBEGIN(modernize-use-designated-initializers): rows of a table.
  ExpectErrors(
      {{"task: mlps",
        "f.yaml:4:7: ", "language_model or mlp; did you mean mlp?"},
       {"model: {init: normal}", "f.yaml:4:15: ", "normal_0.02 or torch"},
       {"model: {expert: gelu}", "f.yaml:4:17: ", "gelu_mlp or gated_mlp"},
       {"model: {layers: 0}", "f.yaml:4:17: ", "at least 1"},
       {"model: {width: 1e3}", "f.yaml:4:16: ", "plain decimal digits"},
       {"seeds: 5", "f.yaml:4:8: ", "expected a list"},
       {"seeds: []", "f.yaml:4:8: ", "an empty list"},
       {"seeds: [0, -1]", "f.yaml:4:12: ", "seeds[1]: found \"-1\""},
       {"seeds: [2, 2]", "f.yaml:4:12: ", "found 2 twice"},
       {"optimizer: {learning_rate: 0}", "f.yaml:4:28: ", "a number above 0"},
       {"optimizer: {learning_rate: -1e-3}", "f.yaml:4:28: ", "above 0"},
       {"optimizer: {clip: -1}", "f.yaml:4:19: ", "a number of at least 0"},
       {"optimizer: {clip: none}", "f.yaml:4:19: ", "a number of at least 0"},
       {"optimizer: {balance_loss: '0'}", "f.yaml:4:27: ", "in quotes"},
       {"optimizer: {decay: cosin}", "f.yaml:4:20: ", "did you mean cosine?"},
       {"optimizer: {name: sgd}", "f.yaml:4:19: ", "expected adam"},
       {"optimizer: {steps: 0}", "f.yaml:4:20: ", "at least 1"},
       {"probe: {tokens: most}", "f.yaml:4:17: ", "at least 1, or all"},
       {"probe: {evaluate_on: test}", "f.yaml:4:22: ", "held_out or train"},
       {"probe: {probes: {}}", "f.yaml:4:17: ", "found no probe"},
       {"checkpoint: {every: 0}", "f.yaml:4:21: ", "at least 1"}},
      ErrorAfterHead);
  ExpectErrors(
      {{"{text: t, held_out: 1}", "f.yaml:3:27: ", "from 0 to below 1"},
       {"{text: t, held_out: -0.1}", "f.yaml:3:27: ", "from 0 to below 1"},
       {"{text: t, ids: t}", "f.yaml:3:7: ", "both text and ids"},
       {"{text: t, synthetic: {}}", "f.yaml:3:7: ", "both text and synthetic"},
       {"{synthetic: {example: 5}}", "f.yaml:3:20: ", "mean \"examples\"?"},
       {"{synthetic: {examples: 0}}", "f.yaml:3:30: ", "at least 1"},
       {"{synthetic: {noise: -1}}", "f.yaml:3:27: ", "a number of at least 0"},
       {"{synthetic: {teacher: own}}",
        "f.yaml:3:29: ", "per_cluster or shared"},
       {"{synthetic: {objective: classify}}",
        "f.yaml:3:31: ", "regression or classification"},
       {"{synthetic: t}", "f.yaml:3:19: ", "expected a mapping"},
       {"{vocabulary: bytes}",
        "f.yaml:3:7: ", "neither text nor ids nor synthetic"},
       {"{text: ~/t}", "f.yaml:3:14: ", "is not expanded"},
       {"[{text: t}]", "f.yaml:3:7: ", "expected a mapping"},
       {"{text: t, tokens: 5}", "f.yaml:3:17: ", "unknown key \"tokens\""}},
      [](const std::string& data) {
        return ErrorOf("kind: train\nvariants: {a: {}}\ndata: " + data + "\n");
      });
  // NOLINTEND(modernize-use-designated-initializers)
}

TEST(ReadTrainSpecTest, RefusesVariantsThatAreNone) {
  const std::string long_name(41, 'x');
  // NOLINTBEGIN(modernize-use-designated-initializers): rows of a table.
  ExpectErrors(
      {{"{}", "f.yaml:3:11: ", "found no variant"},
       {"[dense]", "f.yaml:3:11: ", "expected a mapping"},
       {"{a: soft}", "f.yaml:3:15: ", "variants.a: found \"soft\""},
       {"{a/b: {}}", "f.yaml:3:12: ", "variants.a/b is no name"},
       {"{..: {}}", "f.yaml:3:12: ", "is no name of a variant"},
       {R"({"a\rb": {}})", "f.yaml:3:12: ", R"(variants."a\rb" is no name)"},
       {"{" + long_name + ": {}}", "f.yaml:3:12: ", "1 to 40 letters"},
       {"{a: {}, a: {}}", "f.yaml:3:19: ", "duplicate key \"a\""},
       {"{a: {blok: moe}}", "f.yaml:3:16: ", "did you mean \"block\"?"},
       {"{a: {block: sparse}}", "f.yaml:3:23: ", "expected dense or moe"},
       {"{a: {block: moe, match: total}}",
        "f.yaml:3:28: ", "variants.a.match has no meaning"},
       {"{a: {block: dense, routing: {}}}",
        "f.yaml:3:30: ", "variants.a.routing has no meaning"},
       {"{a: {routing: {select: all, top_k: 2}}}",
        "f.yaml:3:39: ", "variants.a.routing.top_k has no meaning"},
       {"{a: {routing: {forward: own}}}",
        "f.yaml:3:26: ", "variants.a.routing.forward has no meaning"}},
      ErrorOfVariants);
  // NOLINTEND(modernize-use-designated-initializers)
}

TEST(ReadTrainSpecTest, RefusesRoutingOfNoVariant) {
  // NOLINTBEGIN(modernize-use-designated-initializers): rows of a table.
  ExpectErrors({{"swap_routing: [meo]", "f.yaml:4:16: ",
                 "swap_routing[0]: found \"meo\", expected the name of a "
                 "variant with experts; did you mean moe?"},
                {"swap_routing: [dense]", "f.yaml:4:16: ", "with experts"},
                {"swap_routing: [moe, moe]", "f.yaml:4:21: ", "twice"},
                {"swap_routing: moe", "f.yaml:4:15: ", "expected a list"}},
               ErrorAfterHead);
  // NOLINTEND(modernize-use-designated-initializers)
}

TEST(RequestTest, FindsVariantsByTheirNames) {
  const auto request = ReadRequest(std::string(kHead), "f");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->ErrorAt("variants.moe.routing", "wrong").message(),
            "f:2:40: variants.moe.routing: wrong");
  EXPECT_EQ(request->ErrorAt("variants.dense.block", "wrong").message(),
            "f:2:27: variants.dense.block: wrong");
  EXPECT_EQ(request->ErrorAt("data.text", "wrong").message(),
            "f:3:14: data.text: wrong");
}

}  // namespace
}  // namespace moeprobe

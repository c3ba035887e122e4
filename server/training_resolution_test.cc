#include "server/training_resolution.h"  // IWYU pragma: keep

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/npy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/training.pb.h"
#include "server/request_resolution.h"
#include "server/testing/catalog_fixture.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TrainingResolutionTest : public CatalogFixture {
 protected:
  TrainingResolutionTest() {
    AddDataset("text", true, std::string(2000, 'x'));
    AddDataset("ids", false, EncodeTokenIds(std::vector<int32_t>(2000, 7)));
    v1::TrainSpec& spec = *job_.mutable_train();
    spec.mutable_data()->set_text("text");
    AddVariant("dense")->set_block(v1::BLOCK_DENSE);
    AddVariant("top-2");
    AddVariant("soft")->mutable_routing()->set_select(
        v1::ROUTING_SELECTION_ALL);
  }

  v1::TrainSpec& spec() { return *job_.mutable_train(); }

  v1::Variant* AddVariant(const std::string& name) {
    v1::Variant* variant = spec().add_variants();
    variant->set_name(name);
    return variant;
  }

  ResolvedRequest Resolve() { return CatalogFixture::Resolve(job_); }
  std::vector<std::string> Fields() { return CatalogFixture::Fields(job_); }
  std::string Message() {
    return std::string(Resolve().violations.ToStatus().message());
  }

  v1::Job job_;
};

TEST_F(TrainingResolutionTest, FillsInTheExperimentOfThePaper) {
  const ResolvedRequest resolved = Resolve();
  EXPECT_THAT(resolved.violations.list(), IsEmpty());
  const v1::TrainSpec& spec = resolved.job.train();
  EXPECT_EQ(spec.task(), v1::TRAINING_TASK_LANGUAGE_MODEL);
  EXPECT_EQ(spec.model().layers(), 3);
  EXPECT_EQ(spec.model().width(), 128);
  EXPECT_EQ(spec.model().experts(), 8);
  EXPECT_EQ(spec.model().expert(), v1::EXPERT_FORM_GELU_MLP);
  EXPECT_EQ(spec.model().init(), v1::INITIAL_WEIGHTS_NORMAL_0_02);
  EXPECT_EQ(spec.variants(0).match(), v1::DENSE_MATCH_EXPERT);
  EXPECT_EQ(spec.variants(1).routing().top_k(), 2);
  EXPECT_FALSE(spec.variants(2).routing().has_top_k());
  EXPECT_THAT(spec.seeds(), ElementsAre(0));
  EXPECT_EQ(spec.data().vocabulary(), "bytes");
  EXPECT_EQ(spec.optimizer().steps(), 2000);
  EXPECT_EQ(spec.probe().evaluate_on(), v1::EVALUATION_TEXT_HELD_OUT);
  EXPECT_EQ(spec.probe().nulls().random_weights(), 9);
  EXPECT_TRUE(spec.probe().probes().has_pca());
  EXPECT_EQ(spec.checkpoint().every(), 500);
}

TEST_F(TrainingResolutionTest, ResolvingTwiceChangesNothing) {
  const v1::TrainSpec once = Resolve().job.train();
  spec() = once;
  EXPECT_EQ(Resolve().job.train().SerializeAsString(),
            once.SerializeAsString());
}

TEST_F(TrainingResolutionTest, RefusesSizesThatDoNotFit) {
  spec().mutable_model()->set_heads(5);
  EXPECT_THAT(Fields(), ElementsAre("model"));
  spec().mutable_model()->set_heads(4);
  spec().mutable_model()->set_layers(0);
  EXPECT_THAT(Fields(), ElementsAre("model.layers"));
  spec().mutable_model()->set_layers(256);
  spec().mutable_model()->set_experts(1024);
  spec().mutable_model()->set_expert_width(65536);
  EXPECT_THAT(Message(), HasSubstr("parameters in variant"));
}

TEST_F(TrainingResolutionTest, RefusesMoreChosenExpertsThanThereAre) {
  spec().mutable_variants(1)->mutable_routing()->set_top_k(9);
  EXPECT_THAT(Message(),
              HasSubstr("variants.top-2.routing.top_k: 9 is out of range, "
                        "expected 1 to 8"));
  spec().mutable_variants(1)->mutable_routing()->set_top_k(0);
  EXPECT_THAT(Fields(), ElementsAre("variants.top-2.routing.top_k"));
}

TEST_F(TrainingResolutionTest, RefusesWhatAVariantCannotBe) {
  spec().mutable_variants(0)->mutable_routing();
  spec().mutable_variants(1)->set_match(v1::DENSE_MATCH_TOTAL);
  spec().mutable_variants(2)->mutable_routing()->set_top_k(2);
  EXPECT_THAT(Fields(),
              ElementsAre("variants.dense.routing", "variants.top-2.match",
                          "variants.soft.routing.top_k"));
}

TEST_F(TrainingResolutionTest, GatedExpertsHaveNoTemperature) {
  spec().mutable_variants(1)->mutable_routing()->set_temperature(0.5);
  EXPECT_THAT(Fields(), IsEmpty());
  spec().mutable_model()->set_expert(v1::EXPERT_FORM_GATED_MLP);
  EXPECT_THAT(Fields(), ElementsAre("variants.top-2.routing.temperature"));
}

TEST_F(TrainingResolutionTest, RefusesNamesThatAreNone) {
  AddVariant("top-2");
  for (const char* name : {"a/b", "..", "", "-x"}) AddVariant(name);
  EXPECT_THAT(Fields(), ElementsAre("variants.top-2", "variants", "variants",
                                    "variants", "variants"));
}

TEST_F(TrainingResolutionTest, SwapsGatesOfVariantsThatRoute) {
  spec().add_swap_routing("sof");
  spec().add_swap_routing("dense");
  EXPECT_THAT(Fields(), ElementsAre("swap_routing[0]", "swap_routing[1]"));
  spec().clear_swap_routing();
  spec().add_swap_routing("soft");
  spec().add_swap_routing("soft");
  EXPECT_EQ(Message(), "swap_routing[1]: \"soft\" stands there twice");
}

TEST_F(TrainingResolutionTest, RefusesRatesThatAreNone) {
  spec().mutable_optimizer()->set_learning_rate(-1);
  spec().mutable_optimizer()->set_clip(std::nan(""));
  spec().mutable_optimizer()->set_balance_loss(-0.1);
  spec().mutable_optimizer()->set_steps(0);
  EXPECT_THAT(Fields(),
              ElementsAre("optimizer.steps", "optimizer.learning_rate",
                          "optimizer.clip", "optimizer.balance_loss"));
}

TEST_F(TrainingResolutionTest, RefusesATextWithoutAWindow) {
  AddDataset("short", true, std::string(60, 'x'));
  spec().mutable_data()->set_text("short");
  EXPECT_THAT(Message(), HasSubstr("54 tokens to learn from, expected at least "
                                   "a window and the next, 65"));
  AddDataset("empty", true, "");
  spec().mutable_data()->set_text("empty");
  EXPECT_THAT(Message(), HasSubstr("0 tokens to learn from"));
}

TEST_F(TrainingResolutionTest, HeldOutTokensFillAWindowOrThereAreNone) {
  spec().mutable_data()->set_held_out(0.03);
  EXPECT_THAT(Message(), HasSubstr("60 tokens are held out"));
  spec().mutable_data()->set_held_out(0);
  EXPECT_THAT(Fields(), ElementsAre("probe.evaluate_on"));
  spec().mutable_probe()->set_evaluate_on(v1::EVALUATION_TEXT_TRAIN);
  EXPECT_THAT(Fields(), IsEmpty());
  spec().mutable_data()->set_held_out(1);
  EXPECT_THAT(Fields(), ElementsAre("data.held_out"));
}

TEST_F(TrainingResolutionTest, TakesIdsAsTheyAre) {
  spec().mutable_data()->set_ids("ids");
  EXPECT_THAT(Fields(), IsEmpty());
  spec().mutable_data()->set_vocabulary("bytes");
  EXPECT_THAT(Fields(), ElementsAre("data.vocabulary"));
}

TEST_F(TrainingResolutionTest, NeedsATokenizerThatIsThere) {
  spec().mutable_data()->set_vocabulary("mixtrall");
  EXPECT_THAT(Message(), HasSubstr("did you mean \"mixtral\"?"));
  spec().mutable_data()->set_vocabulary("mixtral");
  EXPECT_THAT(Message(), HasSubstr("no tokenizer.json"));
}

TEST_F(TrainingResolutionTest, NamesWhatIsWrongInsideTheProbe) {
  spec().mutable_probe()->mutable_probes()->mutable_pca()->set_components(0);
  spec().mutable_probe()->mutable_nulls()->set_bootstrap(3);
  spec().mutable_probe()->set_tokens(10);
  EXPECT_THAT(Fields(),
              ElementsAre("probe.tokens", "probe.probes.pca.components",
                          "probe.nulls.bootstrap"));
}

TEST_F(TrainingResolutionTest, BoundsWhatAJobProbes) {
  spec().mutable_probe()->set_every(1);
  EXPECT_THAT(Message(), HasSubstr("18018 layers are probed"));
}

// However many steps a request names, nothing is listed before it is refused.
TEST_F(TrainingResolutionTest, BoundsWhatAJobKeepsAndHolds) {
  spec().mutable_optimizer()->set_steps(10'000'000);
  spec().mutable_checkpoint()->set_every(1);
  EXPECT_THAT(Fields(), ElementsAre("checkpoint.every"));
  spec().mutable_checkpoint()->set_every(100'000);
  EXPECT_THAT(Fields(), IsEmpty());
  spec().mutable_optimizer()->set_batch(65536);
  EXPECT_THAT(Message(), HasSubstr("4194304 tokens a step"));
  spec().mutable_optimizer()->set_batch(16384);
  spec().mutable_model()->set_expert_width(65536);
  EXPECT_THAT(Message(), HasSubstr("bytes of memory while it is trained"));
}

TEST_F(TrainingResolutionTest, RefusesIdsOfAVocabularyBeyondAllBounds) {
  std::vector<int32_t> ids(2000, 7);
  ids[3] = 2147483647;
  AddDataset("wide", false, EncodeTokenIds(ids));
  spec().mutable_data()->set_ids("wide");
  EXPECT_THAT(Message(), HasSubstr("parameters in variant dense"));
}

TEST_F(TrainingResolutionTest, RefusesSeedsTwiceOrNegative) {
  for (const int64_t seed : {3, 3, -1}) spec().add_seeds(seed);
  EXPECT_THAT(Fields(), ElementsAre("seeds[1]", "seeds[2]"));
}

class ExampleResolutionTest : public TrainingResolutionTest {
 protected:
  ExampleResolutionTest() {
    spec().set_task(v1::TRAINING_TASK_MLP);
    synthetic();
  }

  v1::SyntheticData& synthetic() {
    return *spec().mutable_data()->mutable_synthetic();
  }
};

TEST_F(ExampleResolutionTest, FillsInWhatAPaperLeavesOpen) {
  const ResolvedRequest resolved = Resolve();
  EXPECT_THAT(resolved.violations.list(), IsEmpty());
  const v1::TrainSpec& spec = resolved.job.train();
  EXPECT_EQ(spec.model().layers(), 1);
  EXPECT_FALSE(spec.model().has_heads());
  EXPECT_FALSE(spec.model().has_context());
  EXPECT_EQ(spec.model().width(), 128);
  EXPECT_EQ(spec.optimizer().batch(), 256);
  EXPECT_TRUE(spec.data().vocabulary().empty());
  EXPECT_EQ(spec.data().held_out(), 0.1);
  const v1::SyntheticData& data = spec.data().synthetic();
  EXPECT_EQ(data.examples(), 16384);
  EXPECT_EQ(data.clusters(), 8);
  EXPECT_EQ(data.separation(), 1);
  EXPECT_EQ(data.teacher(), v1::SYNTHETIC_TEACHER_PER_CLUSTER);
  EXPECT_EQ(data.teacher_width(), 64);
  EXPECT_EQ(data.objective(), v1::LEARNING_OBJECTIVE_REGRESSION);
  EXPECT_EQ(data.outputs(), 16);
  EXPECT_TRUE(data.has_noise());
  EXPECT_TRUE(data.has_seed());
}

TEST_F(ExampleResolutionTest, ResolvingTwiceChangesNothing) {
  const v1::TrainSpec once = Resolve().job.train();
  spec() = once;
  EXPECT_EQ(Resolve().job.train().SerializeAsString(),
            once.SerializeAsString());
}

TEST_F(ExampleResolutionTest, LearnsFromExamplesAlone) {
  spec().mutable_data()->set_text("text");
  EXPECT_THAT(Fields(), ElementsAre("data.text"));
  spec().mutable_data()->set_ids("ids");
  EXPECT_THAT(Fields(), ElementsAre("data.ids"));
  spec().mutable_data()->clear_ids();
  EXPECT_THAT(Fields(), ElementsAre("data"));
  synthetic();
  spec().mutable_data()->set_vocabulary("bytes");
  EXPECT_THAT(Fields(), ElementsAre("data.vocabulary"));
  spec().mutable_data()->clear_vocabulary();
  spec().clear_task();
  EXPECT_THAT(Fields(), ElementsAre("data.synthetic"));
}

TEST_F(ExampleResolutionTest, HasNoAttention) {
  spec().mutable_model()->set_layers(3);
  spec().mutable_model()->set_heads(4);
  spec().mutable_model()->set_context(64);
  EXPECT_THAT(Fields(),
              ElementsAre("model.layers", "model.heads", "model.context"));
  spec().mutable_model()->clear_heads();
  spec().mutable_model()->clear_context();
  spec().mutable_model()->set_layers(1);
  spec().mutable_model()->set_width(7);  // no heads divide it
  EXPECT_THAT(Fields(), IsEmpty());
}

TEST_F(ExampleResolutionTest, RefusesExamplesThatAreNone) {
  synthetic().set_examples(1 << 21);
  synthetic().set_clusters(0);
  synthetic().set_separation(std::nan(""));
  synthetic().set_teacher_width(0);
  synthetic().set_outputs(5000);
  synthetic().set_noise(-1);
  synthetic().set_seed(-1);
  EXPECT_THAT(Fields(),
              ElementsAre("data.synthetic.examples", "data.synthetic.clusters",
                          "data.synthetic.teacher_width",
                          "data.synthetic.outputs", "data.synthetic.seed",
                          "data.synthetic.separation", "data.synthetic.noise"));
}

TEST_F(ExampleResolutionTest, TellsClassesApart) {
  synthetic().set_outputs(1);
  EXPECT_THAT(Fields(), IsEmpty());
  synthetic().set_objective(v1::LEARNING_OBJECTIVE_CLASSIFICATION);
  EXPECT_THAT(Fields(), ElementsAre("data.synthetic.outputs"));
}

TEST_F(ExampleResolutionTest, HasAWindowOfExamplesInEachPart) {
  synthetic().set_examples(159);
  EXPECT_THAT(Message(), HasSubstr("15 examples are held out, expected 0 or at "
                                   "least a window, 16"));
  synthetic().set_examples(160);
  EXPECT_THAT(Fields(), IsEmpty());
  spec().mutable_data()->set_held_out(0.95);
  EXPECT_THAT(Message(), HasSubstr("8 examples to learn from"));
  spec().mutable_data()->set_held_out(0.5);
  spec().mutable_probe()->set_tokens(15);
  EXPECT_THAT(Message(), HasSubstr("15 examples do not fill one window of 16"));
}

TEST_F(ExampleResolutionTest, HasNoNextTokenToLose) {
  spec().mutable_probe()->mutable_probes()->mutable_jacobian();
  spec().mutable_probe()->mutable_probes()->mutable_interventions();
  EXPECT_THAT(Fields(), ElementsAre("probe.probes.interventions"));
}

TEST_F(ExampleResolutionTest, GatedExpertsHaveATemperature) {
  spec().mutable_model()->set_expert(v1::EXPERT_FORM_GATED_MLP);
  spec().mutable_variants(1)->mutable_routing()->set_temperature(0.5);
  EXPECT_THAT(Fields(), IsEmpty());
}

TEST_F(ExampleResolutionTest, BoundsExamplesOfAStep) {
  spec().mutable_optimizer()->set_batch(65536);  // tokens of a context each
  EXPECT_THAT(Fields(), IsEmpty());
}

TEST_F(TrainingResolutionTest, NeedsTextAndVariants) {
  job_.mutable_train()->Clear();
  EXPECT_THAT(Fields(), ElementsAre("variants", "data"));
  job_.Clear();
  EXPECT_THAT(Fields(), ElementsAre("job"));
}

}  // namespace
}  // namespace moeprobe

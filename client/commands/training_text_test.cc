#include "client/commands/training_text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/training.pb.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

TEST(VariantTextTest, SaysWhatDistinguishesIt) {
  v1::Variant variant;
  variant.set_name("a");
  variant.mutable_routing()->set_top_k(2);
  variant.mutable_routing()->set_temperature(0.5);
  EXPECT_EQ(VariantText(variant), "a: top 2, temperature 0.5");
  variant.mutable_routing()->set_select(v1::ROUTING_SELECTION_ALL);
  EXPECT_EQ(VariantText(variant), "a: all experts, temperature 0.5");
  variant.set_block(v1::BLOCK_DENSE);
  EXPECT_EQ(VariantText(variant), "a: dense, as wide as an expert");
  variant.set_match(v1::DENSE_MATCH_ACTIVE);
  EXPECT_EQ(VariantText(variant),
            "a: dense, as many parameters as act on a token");
  variant.set_match(v1::DENSE_MATCH_TOTAL);
  EXPECT_EQ(VariantText(variant), "a: dense, as many parameters");
}

TEST(ShapeTextTest, SaysSizesAndWhereTrainingBegins) {
  v1::ModelShape model;
  model.set_layers(3);
  model.set_width(128);
  model.set_heads(4);
  model.set_context(64);
  model.set_experts(8);
  model.set_expert_width(256);
  model.set_expert(v1::EXPERT_FORM_GELU_MLP);
  model.set_init(v1::INITIAL_WEIGHTS_NORMAL_0_02);
  EXPECT_EQ(
      ShapeText(model),
      "3 layers of width 128, 8 experts of width 256 (gelu_mlp), 4 heads, "
      "context 64, from normal_0.02");
  model.set_layers(1);
  model.clear_heads();
  model.clear_context();
  EXPECT_EQ(ShapeText(model),
            "1 layer of width 128, 8 experts of width 256 (gelu_mlp), no "
            "attention, from normal_0.02");
}

TEST(TrainingDataTextTest, SaysHowMuchIsHeldOut) {
  v1::TrainingData data;
  data.set_ids("datasets/abc");
  data.set_held_out(0.125);
  EXPECT_EQ(TrainingDataText(data), "token ids, 12.5 % held out, datasets/abc");
}

TEST(TrainingDataTextTest, SaysWhatIsDrawn) {
  v1::TrainingData data;
  data.set_held_out(0.25);
  v1::SyntheticData& synthetic = *data.mutable_synthetic();
  synthetic.set_examples(512);
  synthetic.set_clusters(3);
  synthetic.set_separation(0.5);
  synthetic.set_teacher(v1::SYNTHETIC_TEACHER_SHARED);
  synthetic.set_teacher_width(16);
  synthetic.set_objective(v1::LEARNING_OBJECTIVE_CLASSIFICATION);
  synthetic.set_outputs(4);
  EXPECT_EQ(TrainingDataText(data),
            "512 examples of 3 clusters (separation 0.5, noise 0), 25 % held "
            "out, classification of 4 outputs (shared teachers of width 16)");
}

TEST(OptimizerTextTest, SaysWhatIsNotAsUsual) {
  v1::TrainSpec spec;
  v1::Optimizer& optimizer = *spec.mutable_optimizer();
  optimizer.set_name(v1::OPTIMIZER_NAME_ADAM);
  optimizer.set_steps(2000);
  optimizer.set_batch(32);
  optimizer.set_learning_rate(0.25);
  optimizer.set_decay(v1::RATE_DECAY_CONSTANT);
  EXPECT_EQ(OptimizerText(spec),
            "2000 steps of 32 windows, adam at 0.25 (constant)");
  optimizer.set_decay(v1::RATE_DECAY_COSINE);
  optimizer.set_warmup(10);
  optimizer.set_clip(1);
  optimizer.set_balance_loss(0.5);
  EXPECT_EQ(OptimizerText(spec),
            "2000 steps of 32 windows, adam at 0.25 (cosine after 10 steps of "
            "warm-up), gradients up to 1, 0.5 of the load-balancing loss");
  spec.set_task(v1::TRAINING_TASK_MLP);
  EXPECT_THAT(OptimizerText(spec), HasSubstr("steps of 32 examples, adam"));
}

TEST(TrainingProbeTextTest, SaysWhenAndOnWhat) {
  v1::TrainSpec spec;
  v1::TrainingProbe& probe = *spec.mutable_probe();
  probe.set_tokens(-1);
  probe.set_evaluate_on(v1::EVALUATION_TEXT_TRAIN);
  EXPECT_EQ(TrainingProbeText(spec), "at the last step, on all tokens (train)");
  probe.set_every(200);
  probe.set_tokens(512);
  EXPECT_EQ(TrainingProbeText(spec),
            "every 200 steps and at the last, on 512 tokens (train)");
  spec.set_task(v1::TRAINING_TASK_MLP);
  EXPECT_THAT(TrainingProbeText(spec), HasSubstr("on 512 examples"));
}

}  // namespace
}  // namespace moeprobe

#include "core/train/decoder.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>

#include "core/checkpoint/model_config.h"
#include "core/model/routing_rule.h"
#include "core/plan/decoder_shape.h"
#include "core/train/initialization.h"
#include "core/train/parameters.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr RoutingRule kTopTwo{.per_token = 2, .renormalize = true};
// Sums of tens of products of numbers of size about 1 in float32.
constexpr double kRounding = 1e-5;

class DecoderTest : public testing::TestWithParam<ExpertKind> {
 protected:
  DecoderTest() : no_gradients_(), shape_(ShapeWith(4)) {
    at::manual_seed(3);
    ids_ = at::randint(shape_.vocabulary, {3, 7}, at::kLong);
    model_ = Initialized(shape_);
  }

  static DecoderShape ShapeWith(int64_t experts) {
    return {.layers = 2,
            .width = 12,
            .heads = 2,
            .context = 7,
            .vocabulary = 13,
            .experts = experts,
            .expert_width = 10,
            .expert = GetParam()};
  }

  static ModelParameters Initialized(const DecoderShape& shape) {
    ModelParameters model = AllocateParameters(shape);
    InitializeParameters(model, Initialization::kTorch, 1);
    return model;
  }

  at::Tensor Logits(const ModelParameters& model, const at::Tensor& ids) const {
    return Decoder(shape_, kTopTwo).Forward(model, ids).logits;
  }

  static double MaxDistance(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().max().item<double>();
  }

  at::NoGradGuard no_gradients_;
  DecoderShape shape_;
  at::Tensor ids_;
  ModelParameters model_;
};

TEST_P(DecoderTest, GivesLogitsForEveryToken) {
  const DecoderOutput output = Decoder(shape_, kTopTwo).Forward(model_, ids_);
  EXPECT_EQ(output.logits.sizes(), at::IntArrayRef({21, 13}));
  ASSERT_EQ(output.routing.size(), 2U);
  EXPECT_EQ(output.routing[1].chosen.sizes(), at::IntArrayRef({21, 2}));
}

TEST_P(DecoderTest, DoesNotLookAhead) {
  at::Tensor other = ids_.clone();
  other.select(1, 5).add_(1).remainder_(shape_.vocabulary);
  const at::Tensor before = Logits(model_, ids_).view({3, 7, -1});
  const at::Tensor after = Logits(model_, other).view({3, 7, -1});
  EXPECT_LT(MaxDistance(before.slice(1, 0, 5), after.slice(1, 0, 5)),
            kRounding);
  EXPECT_GT(MaxDistance(before.select(1, 6), after.select(1, 6)), 1e-3);
}

TEST_P(DecoderTest, TellsPositionsApart) {
  const at::Tensor same = at::tensor({4, 4, 4}, at::kLong).unsqueeze(0);
  at::Tensor varied = same.clone();
  varied[0][0] = 5;
  const at::Tensor logits = Logits(model_, varied);
  const at::Tensor flipped = at::tensor({4, 5, 4}, at::kLong).unsqueeze(0);
  EXPECT_GT(MaxDistance(logits[2], Logits(model_, flipped)[2]), 1e-4);
}

TEST_P(DecoderTest, DoesNotMindTheOrderOfExperts) {
  ModelParameters flipped = model_;
  for (LayerParameters& layer : flipped.layers) {
    layer.router = layer.router.flip(0);
    ExpertParameters& experts = layer.experts;
    for (at::Tensor* stack :
         {&layer.router_bias, &experts.gate, &experts.up, &experts.up_bias,
          &experts.down, &experts.down_bias}) {
      if (stack->defined()) *stack = stack->flip(0).contiguous();
    }
  }
  EXPECT_LT(MaxDistance(Logits(model_, ids_), Logits(flipped, ids_)),
            kRounding);
}

// Gates sum to 1: experts that are all alike do what one does.
TEST_P(DecoderTest, IsADenseModelWhereExpertsAreAlike) {
  const DecoderShape dense_shape = ShapeWith(0);
  const ModelParameters dense = Initialized(dense_shape);
  ModelParameters alike = model_;
  for (size_t i = 0; i < alike.layers.size(); ++i) {
    ExpertParameters& experts = alike.layers[i].experts;
    const ExpertParameters& one = dense.layers[i].experts;
    const auto repeat = [](const at::Tensor& stack) {
      return stack.defined() ? stack.repeat_interleave(4, 0) : stack;
    };
    experts = {.gate = repeat(one.gate),
               .up = repeat(one.up),
               .up_bias = repeat(one.up_bias),
               .down = repeat(one.down),
               .down_bias = repeat(one.down_bias)};
  }
  const at::Tensor expected =
      Decoder(dense_shape, {}).Forward(dense, ids_).logits;
  EXPECT_LT(MaxDistance(Logits(alike, ids_), expected), kRounding);
  const at::Tensor soft =
      Decoder(shape_, {.per_token = 4}).Forward(alike, ids_).logits;
  EXPECT_LT(MaxDistance(soft, expected), kRounding);
}

TEST_P(DecoderTest, RunsOneTokenAndOneExpert) {
  const DecoderShape shape = ShapeWith(1);
  const DecoderOutput output =
      Decoder(shape, {.per_token = 1, .renormalize = true})
          .Forward(Initialized(shape), ids_.slice(0, 0, 1).slice(1, 0, 1));
  EXPECT_TRUE(output.logits.isfinite().all().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(Kinds, DecoderTest,
                         testing::Values(ExpertKind::kGeluMlp,
                                         ExpertKind::kGatedMlp));

}  // namespace
}  // namespace moeprobe

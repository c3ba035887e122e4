#include "core/train/initialization.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/plan/decoder_shape.h"
#include "core/train/parameters.h"
#include "core/train/training_options.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

ModelParameters Initialized(const DecoderShape& shape, Initialization how,
                            int64_t seed = 0) {
  ModelParameters model = AllocateParameters(shape);
  InitializeParameters(model, how, seed);
  return model;
}

double Deviation(const at::Tensor& tensor) {
  return tensor.detach().std().item<double>();
}

double Largest(const at::Tensor& tensor) {
  return tensor.detach().abs().max().item<double>();
}

// 0.02 / sqrt(2 n) is the deviation of an estimate from n numbers: 3 % for the
// router's 1,024 are more than one of them; 10 % more than four.
TEST(InitializationTest, DrawsEveryMatrixWithDeviationTwoHundredths) {
  const auto model = Initialized(DecoderShape(), Initialization::kNormal002);
  for (const Parameter& parameter : ListParameters(model)) {
    if (parameter.role == ParameterRole::kMatrix ||
        parameter.role == ParameterRole::kEmbedding) {
      EXPECT_NEAR(Deviation(parameter.tensor), 0.02, 0.002);
    } else if (parameter.role == ParameterRole::kNorm) {
      EXPECT_EQ((parameter.tensor - 1).abs().max().item<float>(), 0);
    } else {
      EXPECT_EQ(Largest(parameter.tensor), 0);
    }
  }
}

// A uniform number in (-b, b) has deviation b / sqrt(3).
TEST(InitializationTest, DrawsAsTorchDoes) {
  const auto model = Initialized(DecoderShape(), Initialization::kTorch);
  EXPECT_NEAR(Deviation(model.embedding), 1, 0.02);
  const LayerParameters& layer = model.layers[1];
  const double wide = 1 / std::sqrt(128.0), narrow = 1 / std::sqrt(256.0);
  EXPECT_NEAR(Deviation(layer.projections), wide / std::sqrt(3.0), 1e-3);
  EXPECT_NEAR(Largest(layer.projection_bias), wide, wide / 20);
  EXPECT_LE(Largest(layer.router), wide);
  EXPECT_NEAR(Largest(layer.experts.up), wide, 1e-3);
  EXPECT_NEAR(Largest(layer.experts.down), narrow, 1e-3);
  EXPECT_NEAR(Largest(layer.experts.down_bias), narrow, 1e-2);
  EXPECT_EQ(Largest(layer.mlp_norm - 1), 0);
}

TEST(InitializationTest, DependsOnTheSeedAlone) {
  const auto a = Initialized(DecoderShape(), Initialization::kTorch, 5);
  const auto b = Initialized(DecoderShape(), Initialization::kTorch, 5);
  const auto c = Initialized(DecoderShape(), Initialization::kTorch, 6);
  const std::vector<at::Tensor> from_a = ParameterTensors(a),
                                from_b = ParameterTensors(b);
  for (size_t i = 0; i < from_a.size(); ++i) {
    EXPECT_TRUE(from_a[i].equal(from_b[i]));
  }
  EXPECT_FALSE(a.embedding.equal(c.embedding));
  EXPECT_FALSE(a.layers[0].output.equal(a.layers[1].output));
}

TEST(InitializationTest, GivesVariantsTheSameAttention) {
  DecoderShape dense;
  dense.experts = 0;
  const auto a = Initialized(DecoderShape(), Initialization::kNormal002);
  const auto b = Initialized(dense, Initialization::kNormal002);
  EXPECT_TRUE(a.embedding.equal(b.embedding));
  EXPECT_TRUE(a.layers[2].projections.equal(b.layers[2].projections));
  EXPECT_TRUE(a.head.equal(b.head));
}

}  // namespace
}  // namespace moeprobe

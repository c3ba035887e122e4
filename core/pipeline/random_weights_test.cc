#include "core/pipeline/random_weights.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_view.h"
#include "core/model/weight.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

class RandomWeightsTest : public testing::Test {
 protected:
  std::unique_ptr<Checkpoint> Open(const std::string& family,
                                   const TinyOptions& options,
                                   WeightType type = WeightType::kFloat32) {
    TinyModel model = MakeTinyModel(family, options);
    model.config["initializer_range"] = "0.5";
    if (initialization_ != nullptr) {
      model.config["initialization"] = initialization_;
    }
    ConvertWeights(model, type);
    WriteTinyModel(directory_.path() / family, model);
    auto opened = Checkpoint::Open(directory_.path() / family);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  const char* initialization_ = nullptr;  // JSON; null: not stated
  TemporaryDirectory directory_;
};

at::Tensor Numbers(const TensorView& view) {
  return StoredWeight(view).to(at::kDouble);
}

// Of a weight that the model has to have.
at::Tensor Numbers(const std::optional<TensorView>& view) {
  EXPECT_TRUE(view.has_value());
  return view ? Numbers(*view) : at::zeros({1}, at::kDouble);
}

constexpr TinyOptions kWide = {
    .width = 64, .vocabulary_size = 64, .expert_count = 4, .expert_width = 64};

TEST_F(RandomWeightsTest, HaveTheShapesTypesAndDeviationOfTheModel) {
  const auto model = Open("mixtral", kWide, WeightType::kBFloat16);
  RandomWeights weights(*model, 7);
  weights.DrawLayer(1);
  const MlpTensors& expert = weights.layer(1).experts[2];
  const std::optional<TensorView>& router = weights.layer(1).router;
  ASSERT_TRUE(router.has_value());
  EXPECT_EQ(expert.gate.shape, model->layer(1).experts[2].gate.shape);
  EXPECT_EQ(StoredWeight(expert.gate).scalar_type(), at::kBFloat16);
  for (const TensorView& view : {expert.gate, weights.embedding(), *router}) {
    const at::Tensor numbers = Numbers(view);
    const auto count = static_cast<double>(numbers.numel());
    // Four standard errors of mean and deviation.
    EXPECT_NEAR(numbers.mean().item<double>(), 0, 4 * 0.5 / std::sqrt(count));
    EXPECT_NEAR(numbers.std().item<double>(), 0.5,
                4 * 0.5 / std::sqrt(2 * count));
  }
}

TEST_F(RandomWeightsTest, HaveNormsOfOneAndNoBias) {
  const auto model = Open("qwen2_moe", {});
  RandomWeights weights(*model, 7);
  weights.DrawLayer(0);
  const LayerTensors& layer = weights.layer(0);
  EXPECT_TRUE(Numbers(layer.input_norm->weight).eq(1).all().item<bool>());
  EXPECT_TRUE(Numbers(layer.mlp_norm->weight).eq(1).all().item<bool>());
  ASSERT_TRUE(layer.attention->query_bias.has_value());
  EXPECT_TRUE(Numbers(*layer.attention->query_bias).eq(0).all().item<bool>());
}

TEST_F(RandomWeightsTest, HaveLayerNormsAndLearnedPositionsWhereTheModelHas) {
  const auto model = Open("moeprobe", kWide);
  RandomWeights weights(*model, 7);
  weights.DrawLayer(1);
  const LayerTensors& layer = weights.layer(1);
  EXPECT_TRUE(Numbers(layer.mlp_norm->weight).eq(1).all().item<bool>());
  EXPECT_TRUE(Numbers(layer.mlp_norm->bias).eq(0).all().item<bool>());
  EXPECT_TRUE(Numbers(layer.router_bias).eq(0).all().item<bool>());
  EXPECT_TRUE(Numbers(layer.experts[3].gate_bias).eq(0).all().item<bool>());
  EXPECT_TRUE(Numbers(layer.experts[3].down_bias).eq(0).all().item<bool>());
  EXPECT_NEAR(Numbers(layer.experts[3].down).std().item<double>(), 0.5, 0.03);
  EXPECT_NEAR(Numbers(weights.positions()).std().item<double>(), 0.5, 0.03);
  EXPECT_FALSE(
      at::equal(Numbers(weights.positions()), Numbers(weights.embedding())));
}

// Uniform numbers, of which the largest of so many is close to the bound.
TEST_F(RandomWeightsTest, AreAsPyTorchDrawsThemWhereTheModelSaysSo) {
  initialization_ = "\"torch\"";
  TinyOptions options = kWide;
  options.expert_width = 16;
  const auto model = Open("moeprobe", options);
  RandomWeights weights(*model, 7);
  weights.DrawLayer(1);
  const LayerTensors& layer = weights.layer(1);
  const auto largest = [](const at::Tensor& numbers) {
    return numbers.abs().max().item<double>();
  };
  const double wide = 1 / std::sqrt(64), narrow = 1 / std::sqrt(16);
  const MlpTensors& expert = layer.experts[2];
  EXPECT_NEAR(largest(Numbers(expert.gate)), wide, 0.02 * wide);
  EXPECT_NEAR(largest(Numbers(expert.down)), narrow, 0.02 * narrow);
  EXPECT_NEAR(largest(Numbers(layer.router)), wide, 0.05 * wide);
  const auto is_within = [&](const std::optional<TensorView>& bias,
                             double bound) {
    const double most = largest(Numbers(bias));
    return most <= bound && most > bound / 4;
  };
  EXPECT_TRUE(is_within(expert.gate_bias, wide));
  EXPECT_TRUE(is_within(expert.down_bias, narrow));
  EXPECT_TRUE(is_within(layer.router_bias, wide));
  EXPECT_TRUE(is_within(layer.attention->query_bias, wide));
  EXPECT_TRUE(Numbers(layer.input_norm->weight).eq(1).all().item<bool>());
  EXPECT_TRUE(Numbers(layer.input_norm->bias).eq(0).all().item<bool>());
  EXPECT_NEAR(Numbers(weights.embedding()).std().item<double>(), 1, 0.05);
  EXPECT_NEAR(Numbers(weights.positions()).std().item<double>(), 1, 0.05);
}

// They are data: an untrained model sees what the trained one does.
TEST_F(RandomWeightsTest, LeaveTheExamplesOfAnMlpAlone) {
  const auto model = Open("moeprobe_mlp", kWide);
  RandomWeights weights(*model, 7);
  EXPECT_EQ(weights.embedding().bytes.data(), model->embedding().bytes.data());
  weights.DrawLayer(0);
  const MlpTensors& expert = weights.layer(0).experts[3];
  EXPECT_NEAR(Numbers(expert.down).std().item<double>(), 0.5, 0.03);
  EXPECT_FALSE(at::equal(Numbers(expert.down),
                         Numbers(model->layer(0).experts[3].down)));
}

TEST_F(RandomWeightsTest, DependOnStreamAndLayerAlone) {
  const auto model = Open("mixtral", {});
  const auto gate = [&](int64_t stream, int64_t before, int64_t layer) {
    RandomWeights weights(*model, stream);
    weights.DrawLayer(before);
    weights.DrawLayer(layer);
    return Numbers(weights.layer(layer).experts[0].gate);
  };
  const at::Tensor once = gate(7, 0, 1);
  EXPECT_TRUE(at::equal(once, gate(7, 1, 1)));
  EXPECT_FALSE(at::equal(once, gate(8, 0, 1)));
  EXPECT_FALSE(at::equal(once, gate(7, 1, 0)));
}

TEST_F(RandomWeightsTest, GiveEveryTensorItsOwnNumbers) {
  const auto model = Open("mixtral", {});
  RandomWeights weights(*model, 7);
  weights.DrawLayer(0);
  const LayerTensors& layer = weights.layer(0);
  EXPECT_FALSE(
      at::equal(Numbers(layer.experts[0].gate), Numbers(layer.experts[0].up)));
  EXPECT_FALSE(at::equal(Numbers(layer.experts[0].gate),
                         Numbers(layer.experts[1].gate)));
}

}  // namespace
}  // namespace moeprobe

#include "core/pipeline/random_weights.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
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
    ConvertWeights(model, type);
    WriteTinyModel(directory_.path() / family, model);
    auto opened = Checkpoint::Open(directory_.path() / family);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  TemporaryDirectory directory_;
};

at::Tensor Numbers(const TensorView& view) {
  return StoredWeight(view).to(at::kDouble);
}

constexpr TinyOptions kWide = {
    .width = 64, .vocabulary_size = 64, .expert_count = 4, .expert_width = 64};

TEST_F(RandomWeightsTest, HaveTheShapesTypesAndDeviationOfTheModel) {
  const auto model = Open("mixtral", kWide, WeightType::kBFloat16);
  RandomWeights weights(*model, 7);
  weights.DrawLayer(1);
  const GatedMlpTensors& expert = weights.layer(1).experts[2];
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
  EXPECT_TRUE(Numbers(layer.input_norm).eq(1).all().item<bool>());
  EXPECT_TRUE(Numbers(layer.mlp_norm).eq(1).all().item<bool>());
  ASSERT_TRUE(layer.attention.query_bias.has_value());
  EXPECT_TRUE(Numbers(*layer.attention.query_bias).eq(0).all().item<bool>());
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

#include "core/train/stored_tensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/safetensors_file.h"
#include "core/plan/decoder_shape.h"
#include "core/train/initialization.h"
#include "core/train/parameters.h"
#include "core/train/training_options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

DecoderShape Shape(ExpertKind kind, int64_t experts) {
  return {.layers = 1,
          .width = 4,
          .heads = 2,
          .context = 3,
          .vocabulary = 5,
          .experts = experts,
          .expert_width = 6,
          .expert = kind};
}

ModelParameters RandomModel(const DecoderShape& shape) {
  ModelParameters model = AllocateParameters(shape);
  InitializeParameters(model, Initialization::kTorch, 2);
  return model;
}

std::map<std::string, at::Tensor> ByName(const ModelParameters& model,
                                         const DecoderShape& shape) {
  std::map<std::string, at::Tensor> tensors;
  for (const StoredTensor& stored : StoredTensors(model, shape)) {
    EXPECT_TRUE(tensors.emplace(stored.name, stored.view).second)
        << stored.name;
  }
  return tensors;
}

TEST(StoredTensorsTest, NamesEveryWeightOnce) {
  for (const ExpertKind kind : {ExpertKind::kGeluMlp, ExpertKind::kGatedMlp}) {
    for (const int64_t experts : {0, 3}) {
      const DecoderShape shape = Shape(kind, experts);
      int64_t count = 0;
      for (const auto& [name, view] : ByName(RandomModel(shape), shape)) {
        count += view.numel();
      }
      EXPECT_EQ(count, ParameterCount(shape));
    }
  }
}

TEST(StoredTensorsTest, HasTheShapesOfItsFamily) {
  const DecoderShape shape = Shape(ExpertKind::kGatedMlp, 3);
  const ModelParameters model = RandomModel(shape);
  const auto tensors = ByName(model, shape);
  const std::string expert = "model.layers.0.block_sparse_moe.experts.2.";
  EXPECT_TRUE(
      tensors.at(expert + "w1.weight").equal(model.layers[0].experts.gate[2]));
  EXPECT_TRUE(
      tensors.at(expert + "w3.weight").equal(model.layers[0].experts.up[2]));
  EXPECT_TRUE(tensors.at(expert + "w2.weight")
                  .equal(model.layers[0].experts.down[2].t()));
  EXPECT_TRUE(tensors.at("model.layers.0.self_attn.v_proj.weight")
                  .equal(model.layers[0].projections.slice(0, 8, 12)));
  EXPECT_FALSE(tensors.contains("model.embed_positions.weight"));
}

TEST(StoredTensorsTest, NamesAnMlpAndItsExamples) {
  for (const ExpertKind kind : {ExpertKind::kGeluMlp, ExpertKind::kGatedMlp}) {
    for (const int64_t experts : {0, 3}) {
      DecoderShape shape = Shape(kind, experts);
      shape.outputs = 2;
      ModelParameters model = RandomModel(shape);
      model.examples = at::zeros({shape.vocabulary, shape.width});
      const auto tensors = ByName(model, shape);
      int64_t count = 0;
      for (const auto& [name, view] : tensors) count += view.numel();
      EXPECT_EQ(count, StoredNumberCount(shape));
      EXPECT_EQ(tensors.at("model.readout.weight").size(0), 2);
      EXPECT_EQ(tensors.at("model.examples.weight").size(0), 5);
    }
  }
}

TEST(StoredTensorsTest, NamesTwoLayerAndDenseModels) {
  const DecoderShape shape = Shape(ExpertKind::kGeluMlp, 3);
  const auto tensors = ByName(RandomModel(shape), shape);
  EXPECT_TRUE(tensors.contains("model.embed_positions.weight"));
  EXPECT_TRUE(tensors.contains("model.layers.0.block_sparse_moe.gate.bias"));
  EXPECT_TRUE(
      tensors.contains("model.layers.0.block_sparse_moe.experts.0.fc2.bias"));
  const DecoderShape dense = Shape(ExpertKind::kGatedMlp, 0);
  EXPECT_TRUE(ByName(RandomModel(dense), dense)
                  .contains("model.layers.0.mlp.gate_proj.weight"));
}

class LoadTensorsTest : public testing::Test {
 protected:
  LoadTensorsTest()
      : from_(RandomModel(shape_)),
        to_(AllocateParameters(shape_)),
        stored_(StoredTensors(from_, shape_)) {}

  absl::Status Load() {
    const auto path = directory_.path() / "model.safetensors";
    EXPECT_EQ(StoreTensors(path, stored_), absl::OkStatus());
    const auto file = SafetensorsFile::Open(path);
    return LoadTensors(file.value(), StoredTensors(to_, shape_));
  }

  DecoderShape shape_ = Shape(ExpertKind::kGeluMlp, 3);
  ModelParameters from_, to_;
  std::vector<StoredTensor> stored_;
  TemporaryDirectory directory_;
};

TEST_F(LoadTensorsTest, FillsTheModelItself) {
  ASSERT_EQ(Load(), absl::OkStatus());
  const auto expected = ParameterTensors(from_), found = ParameterTensors(to_);
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_TRUE(found[i].equal(expected[i])) << i;
  }
}

TEST_F(LoadTensorsTest, NamesWhatIsMissing) {
  stored_.pop_back();
  EXPECT_EQ(Load().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Load().message(), HasSubstr("\"lm_head.weight\" is missing"));
}

TEST_F(LoadTensorsTest, NamesWhatHasAnotherShape) {
  stored_.back().view = stored_.back().view.t();
  EXPECT_THAT(Load().message(),
              HasSubstr("is F32 [4, 5], expected F32 [5, 4]"));
}

}  // namespace
}  // namespace moeprobe

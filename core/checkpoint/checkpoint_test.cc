#include "core/checkpoint/checkpoint.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/sha256.h"
#include "core/checkpoint/layer_visitor.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/tensor_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/safetensors_bytes.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() { fs::remove_all(folder_); }
  ~CheckpointTest() override { fs::remove_all(folder_); }

  // Writes `model` and opens it.
  absl::StatusOr<std::unique_ptr<Checkpoint>> Open(const TinyModel& model,
                                                   size_t shard_count = 1) {
    fs::remove_all(folder_);
    WriteTinyModel(folder_, model, shard_count);
    return Checkpoint::Open(folder_);
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) /
      absl::StrCat(
          "checkpoint_test.",
          testing::UnitTest::GetInstance()->current_test_info()->name());
};

std::string BytesOf(const TensorView& view) {
  return {reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size()};
}

std::vector<TensorView> EveryTensor(const Checkpoint& checkpoint) {
  std::vector<TensorView> views = {checkpoint.embedding(), checkpoint.head()};
  const auto add = [&](const TensorView& view) { views.push_back(view); };
  if (checkpoint.positions()) add(*checkpoint.positions());
  if (checkpoint.final_norm()) VisitNorm(*checkpoint.final_norm(), add);
  const auto count = static_cast<int64_t>(checkpoint.config().layers.size());
  for (int64_t i = 0; i < count; ++i) {
    std::ranges::copy(checkpoint.TensorsOfLayer(i), std::back_inserter(views));
  }
  return views;
}

// Shapes and bytes of all tensors of a layer, in order.
std::string ContentOfLayer(const Checkpoint& checkpoint, int64_t layer) {
  std::string content;
  for (const TensorView& view : checkpoint.TensorsOfLayer(layer)) {
    absl::StrAppend(&content, absl::StrJoin(view.shape, ","), BytesOf(view));
  }
  return content;
}

// Names of all tensors of a layer, in order, without `prefix`.
std::vector<std::string> NamesOfLayer(const Checkpoint& checkpoint,
                                      int64_t layer,
                                      const std::string& prefix) {
  std::vector<std::string> names;
  for (const TensorView& view : checkpoint.TensorsOfLayer(layer)) {
    const bool has_prefix = view.name.starts_with(prefix);
    names.push_back(view.name.substr(has_prefix ? prefix.size() : 0));
  }
  return names;
}

std::string MessageOf(const absl::StatusOr<std::unique_ptr<Checkpoint>>& open) {
  return std::string(open.status().message());
}

TEST_F(CheckpointTest, OpensEveryFamily) {
  for (const std::string& family : SupportedFamilies()) {
    const auto checkpoint = Open(MakeTinyModel(family));
    ASSERT_TRUE(checkpoint.ok()) << family << ": " << checkpoint.status();
    EXPECT_EQ((*checkpoint)->config().family, family);
    EXPECT_THAT((*checkpoint)->unused_tensors(), IsEmpty()) << family;
    EXPECT_TRUE((*checkpoint)->CheckUnchanged().ok());
  }
}

TEST_F(CheckpointTest, HoldsTheWeightsThatWereWritten) {
  for (const std::string& family : SupportedFamilies()) {
    TinyModel model = MakeTinyModel(family);
    const auto checkpoint = Open(model);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    for (const TensorView& view : EveryTensor(**checkpoint)) {
      const TensorToWrite& written = TensorNamed(model, view.name);
      EXPECT_EQ(view.shape, written.shape) << view.name;
      EXPECT_EQ(BytesOf(view), written.bytes) << view.name;
    }
  }
}

TEST_F(CheckpointTest, GivesEveryTensorItsPlace) {
  const auto checkpoint = Open(
      MakeTinyModel("qwen2_moe", {.expert_count = 2, .dense_layers = {0}}));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_THAT(
      NamesOfLayer(**checkpoint, 0, "model.layers.0."),
      ElementsAre("input_layernorm.weight", "self_attn.q_proj.weight",
                  "self_attn.k_proj.weight", "self_attn.v_proj.weight",
                  "self_attn.o_proj.weight", "self_attn.q_proj.bias",
                  "self_attn.k_proj.bias", "self_attn.v_proj.bias",
                  "post_attention_layernorm.weight", "mlp.gate_proj.weight",
                  "mlp.up_proj.weight", "mlp.down_proj.weight"));
  const std::vector<std::string> moe =
      NamesOfLayer(**checkpoint, 1, "model.layers.1.mlp.");
  EXPECT_THAT(
      std::vector(moe.begin() + 9, moe.end()),
      ElementsAre(
          "gate.weight", "experts.0.gate_proj.weight",
          "experts.0.up_proj.weight", "experts.0.down_proj.weight",
          "experts.1.gate_proj.weight", "experts.1.up_proj.weight",
          "experts.1.down_proj.weight", "shared_expert.gate_proj.weight",
          "shared_expert.up_proj.weight", "shared_expert.down_proj.weight",
          "shared_expert_gate.weight"));
}

TEST_F(CheckpointTest, FindsBiasesAndNormsWhereAFamilyHasThem) {
  const auto checkpoint =
      Open(MakeTinyModel("qwen3", {.attention_bias = true}));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  const std::vector<std::string> names =
      NamesOfLayer(**checkpoint, 1, "model.layers.1.self_attn.");
  EXPECT_THAT(std::vector(names.begin() + 5, names.begin() + 11),
              ElementsAre("q_proj.bias", "k_proj.bias", "v_proj.bias",
                          "o_proj.bias", "q_norm.weight", "k_norm.weight"));
}

TEST_F(CheckpointTest, ReadsMixtralsW1AsGateW3AsUpAndW2AsDown) {
  TinyModel model = MakeTinyModel("mixtral");
  const auto checkpoint = Open(model);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  const MlpTensors& expert = (*checkpoint)->layer(1).experts[2];
  const std::string prefix = "model.layers.1.block_sparse_moe.experts.2.";
  EXPECT_EQ(expert.gate.name, prefix + "w1.weight");
  EXPECT_EQ(expert.up->name, prefix + "w3.weight");
  EXPECT_EQ(expert.down.name, prefix + "w2.weight");
}

TEST_F(CheckpointTest, FindsExpertsOfTwoLayersAndTheirBiases) {
  const auto checkpoint = Open(MakeTinyModel("moeprobe", {.expert_count = 2}));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  const std::string prefix = "model.layers.1.";
  EXPECT_THAT(
      NamesOfLayer(**checkpoint, 1, prefix),
      ElementsAre("input_layernorm.bias", "input_layernorm.weight",
                  "self_attn.q_proj.weight", "self_attn.k_proj.weight",
                  "self_attn.v_proj.weight", "self_attn.o_proj.weight",
                  "self_attn.q_proj.bias", "self_attn.k_proj.bias",
                  "self_attn.v_proj.bias", "self_attn.o_proj.bias",
                  "post_attention_layernorm.bias",
                  "post_attention_layernorm.weight",
                  "block_sparse_moe.gate.bias", "block_sparse_moe.gate.weight",
                  "block_sparse_moe.experts.0.fc1.weight",
                  "block_sparse_moe.experts.0.fc1.bias",
                  "block_sparse_moe.experts.0.fc2.bias",
                  "block_sparse_moe.experts.0.fc2.weight",
                  "block_sparse_moe.experts.1.fc1.weight",
                  "block_sparse_moe.experts.1.fc1.bias",
                  "block_sparse_moe.experts.1.fc2.bias",
                  "block_sparse_moe.experts.1.fc2.weight"));
  const std::optional<TensorView>& positions = (*checkpoint)->positions();
  ASSERT_TRUE(positions.has_value());
  EXPECT_EQ(positions->name, "model.embed_positions.weight");
  EXPECT_EQ(positions->shape, (std::vector<int64_t>{64, 8}));
}

TEST_F(CheckpointTest, FindsADenseMlpOfTwoLayers) {
  const auto checkpoint = Open(MakeTinyModel("moeprobe", {.expert_count = 0}));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  const LayerTensors& layer = (*checkpoint)->layer(0);
  ASSERT_TRUE(layer.dense.has_value());
  EXPECT_EQ(layer.dense->gate.name, "model.layers.0.mlp.fc1.weight");
  EXPECT_FALSE(layer.dense->up.has_value());
  EXPECT_FALSE(layer.router_bias.has_value());
  EXPECT_THAT((*checkpoint)->unused_tensors(), IsEmpty());
}

TEST_F(CheckpointTest, FindsExamplesExpertsAndReadoutOfAnMlp) {
  const auto checkpoint = Open(MakeTinyModel(
      "moeprobe_mlp", {.expert_count = 1, .experts_per_token = 1}));
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ((*checkpoint)->embedding().name, "model.examples.weight");
  EXPECT_EQ((*checkpoint)->head().shape, (std::vector<int64_t>{3, 8}));
  EXPECT_FALSE((*checkpoint)->final_norm().has_value());
  EXPECT_FALSE((*checkpoint)->layer(0).attention.has_value());
  EXPECT_THAT(NamesOfLayer(**checkpoint, 0, "model.layers.0.block_sparse_moe."),
              ElementsAre("gate.bias", "gate.weight", "experts.0.fc1.weight",
                          "experts.0.fc1.bias", "experts.0.fc2.bias",
                          "experts.0.fc2.weight"));
}

TEST_F(CheckpointTest, SaysWhatStandsBeforeExperts) {
  const auto last = [&](const char* family, int64_t experts) {
    const auto checkpoint =
        Open(MakeTinyModel(family, {.expert_count = experts}));
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
    return LastBeforeExperts((*checkpoint)->layer(0)).name;
  };
  const std::string layer = "model.layers.0.";
  EXPECT_EQ(last("moeprobe", 2), layer + "block_sparse_moe.gate.weight");
  EXPECT_EQ(last("moeprobe", 0), layer + "post_attention_layernorm.weight");
  EXPECT_EQ(last("moeprobe_mlp", 2), layer + "block_sparse_moe.gate.weight");
  EXPECT_EQ(last("moeprobe_mlp", 0), layer + "mlp.fc1.weight");
}

TEST_F(CheckpointTest, WantsTheBiasesOfItsOwnFamily) {
  TinyModel model = MakeTinyModel("moeprobe");
  const std::string name = "model.layers.1.block_sparse_moe.gate.bias";
  std::erase_if(model.tensors, [&](const TensorToWrite& tensor) {
    return tensor.name == name;
  });
  const auto checkpoint = Open(model);
  EXPECT_EQ(checkpoint.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(MessageOf(checkpoint), HasSubstr(name));
}

TEST_F(CheckpointTest, TakesFusedExpertsApart) {
  for (const char* family : {"mixtral", "olmoe", "qwen2_moe", "qwen3_moe"}) {
    TinyModel model = MakeTinyModel(family);
    const auto separate = Open(model);
    ASSERT_TRUE(separate.ok()) << separate.status();
    const std::string expected = ContentOfLayer(**separate, 1);
    FuseExperts(model);
    const auto fused = Open(model);
    ASSERT_TRUE(fused.ok()) << fused.status();
    EXPECT_EQ(ContentOfLayer(**fused, 1), expected) << family;
    EXPECT_EQ((*fused)->size_bytes(), (*separate)->size_bytes());
    EXPECT_THAT((*fused)->unused_tensors(), IsEmpty());
  }
}

TEST_F(CheckpointTest, ReadsFusedExpertsUnderThePublishedBlockName) {
  TinyModel model = MakeTinyModel("mixtral");
  FuseExperts(model);
  for (TensorToWrite& tensor : model.tensors) {
    const size_t at = tensor.name.find(".mlp.");
    if (at != std::string::npos) {
      tensor.name.replace(at, 5, ".block_sparse_moe.");
    }
  }
  const auto checkpoint = Open(model);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ((*checkpoint)->layer(0).experts[1].up->name,
            "model.layers.0.block_sparse_moe.experts.gate_up_proj[1, 6:12]");
}

TEST_F(CheckpointTest, ReadsEveryWeightType) {
  for (const WeightType type :
       {WeightType::kFloat32, WeightType::kFloat16, WeightType::kBFloat16}) {
    TinyModel model = MakeTinyModel("llama");
    ConvertWeights(model, type);
    const auto checkpoint = Open(model);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    EXPECT_EQ((*checkpoint)->embedding().type, type);
    EXPECT_EQ((*checkpoint)->embedding().bytes.size(),
              16 * 8 * (type == WeightType::kFloat32 ? 4 : 2));
  }
}

TEST_F(CheckpointTest, OpensShardsAsItOpensASingleFile) {
  const TinyModel model = MakeTinyModel("qwen3_moe");
  const auto single = Open(model);
  ASSERT_TRUE(single.ok()) << single.status();
  const std::string expected = ContentOfLayer(**single, 0);
  const auto sharded = Open(model, 5);
  ASSERT_TRUE(sharded.ok()) << sharded.status();
  EXPECT_EQ(ContentOfLayer(**sharded, 0), expected);
  EXPECT_EQ((*sharded)->size_bytes(), (*single)->size_bytes());
}

TEST_F(CheckpointTest, UsesTheEmbeddingAsHeadWhereTheyAreTied) {
  const auto tied = Open(MakeTinyModel("qwen2", {.tied_embeddings = true}));
  ASSERT_TRUE(tied.ok()) << tied.status();
  EXPECT_EQ((*tied)->head().bytes.data(), (*tied)->embedding().bytes.data());
  TinyModel untied = MakeTinyModel("qwen2", {.tied_embeddings = true});
  untied.config["tie_word_embeddings"] = "false";
  EXPECT_THAT(MessageOf(Open(untied)),
              HasSubstr("\"lm_head.weight\" is missing"));
}

TEST_F(CheckpointTest, ListsEveryTensorOfALayerOnce) {
  for (const std::string& family : SupportedFamilies()) {
    const TinyModel model =
        MakeTinyModel(family, {.layer_count = 1, .attention_bias = true});
    const auto checkpoint = Open(model);
    ASSERT_TRUE(checkpoint.ok()) << family << ": " << checkpoint.status();
    std::set<std::string> names;
    for (const TensorView& view : (*checkpoint)->TensorsOfLayer(0)) {
      EXPECT_TRUE(names.insert(view.name).second) << view.name;
    }
    const auto of_layers =
        std::ranges::count_if(model.tensors, [](const TensorToWrite& tensor) {
          return tensor.name.starts_with("model.layers.");
        });
    EXPECT_EQ(std::ssize(names), of_layers) << family;
  }
}

TEST_F(CheckpointTest, CountsTheBytesOfItsWeights) {
  TinyModel model = MakeTinyModel("mixtral");
  size_t expected = 0;
  for (const TensorToWrite& tensor : model.tensors) {
    expected += tensor.bytes.size();
  }
  model.tensors.push_back({.name = "model.extra.weight",
                           .dtype = "I64",
                           .shape = {1},
                           .bytes = "12345678"});
  const auto checkpoint = Open(model);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ((*checkpoint)->size_bytes(), expected);
  EXPECT_THAT((*checkpoint)->unused_tensors(),
              ElementsAre("model.extra.weight"));
}

TEST_F(CheckpointTest, DigestsTheConfiguration) {
  const TinyModel model = MakeTinyModel("llama");
  const auto checkpoint = Open(model);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ((*checkpoint)->config_sha256(), Sha256Hex(ConfigText(model)));
}

TEST_F(CheckpointTest, NoticesEveryChangeOfItsFiles) {
  const TinyModel model = MakeTinyModel("mixtral");
  const auto change = [&](const std::string& file, const auto& alter) {
    const auto checkpoint = Open(model, 2);
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
    EXPECT_TRUE((*checkpoint)->CheckUnchanged().ok());
    alter(folder_ / file);
    const absl::Status status = (*checkpoint)->CheckUnchanged();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr(file));
  };
  const auto cut = [](const fs::path& path) { fs::resize_file(path, 100); };
  const auto remove = [](const fs::path& path) { fs::remove(path); };
  const auto replace = [](const fs::path& path) {
    fs::copy_file(path, path.native() + ".new");
    fs::rename(path.native() + ".new", path);
  };
  const auto rewrite = [](const fs::path& path) {
    fs::last_write_time(path,
                        fs::last_write_time(path) + std::chrono::seconds(1));
  };
  for (const char* file : {"config.json", "model.safetensors.index.json",
                           "model-0.safetensors", "model-1.safetensors"}) {
    change(file, cut);
    change(file, remove);
    change(file, replace);
    change(file, rewrite);
  }
}

TEST_F(CheckpointTest, StampsTheSameFilesAlike) {
  const auto first = Open(MakeTinyModel("llama"));
  const auto again = Checkpoint::Open(folder_);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ((*first)->stamp(), (*again)->stamp());
  fs::last_write_time(
      folder_ / "config.json",
      fs::last_write_time(folder_ / "config.json") + std::chrono::seconds(1));
  const auto touched = Checkpoint::Open(folder_);
  ASSERT_TRUE(touched.ok());
  EXPECT_NE((*first)->stamp(), (*touched)->stamp());
}

}  // namespace
}  // namespace moeprobe

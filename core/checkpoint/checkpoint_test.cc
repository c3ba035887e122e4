#include "core/checkpoint/checkpoint.h"

#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::AllOf;
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
  TinyModel model = MakeTinyModel("qwen2_moe", {.dense_layers = {0}});
  const auto opened = Open(model);
  ASSERT_TRUE(opened.ok()) << opened.status();
  const Checkpoint& checkpoint = **opened;
  const auto expect = [&](const TensorView& view, const std::string& name) {
    EXPECT_EQ(view.name, name);
    EXPECT_EQ(view.shape, TensorNamed(model, name).shape);
    EXPECT_EQ(BytesOf(view), TensorNamed(model, name).bytes) << name;
  };
  expect(checkpoint.embedding(), "model.embed_tokens.weight");
  expect(checkpoint.final_norm(), "model.norm.weight");
  expect(checkpoint.head(), "lm_head.weight");
  const LayerTensors& dense = checkpoint.layer(0);
  expect(dense.input_norm, "model.layers.0.input_layernorm.weight");
  expect(dense.attention.key, "model.layers.0.self_attn.k_proj.weight");
  expect(*dense.attention.value_bias, "model.layers.0.self_attn.v_proj.bias");
  expect(dense.dense->down, "model.layers.0.mlp.down_proj.weight");
  EXPECT_FALSE(dense.router.has_value());
  const LayerTensors& moe = checkpoint.layer(1);
  expect(*moe.router, "model.layers.1.mlp.gate.weight");
  expect(moe.experts[3].up, "model.layers.1.mlp.experts.3.up_proj.weight");
  expect(moe.shared->gate, "model.layers.1.mlp.shared_expert.gate_proj.weight");
  expect(*moe.shared_gate, "model.layers.1.mlp.shared_expert_gate.weight");
  EXPECT_FALSE(moe.dense.has_value());
}

TEST_F(CheckpointTest, ReadsMixtralsW1AsGateW3AsUpAndW2AsDown) {
  TinyModel model = MakeTinyModel("mixtral");
  const auto checkpoint = Open(model);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  const GatedMlpTensors& expert = (*checkpoint)->layer(1).experts[2];
  const std::string prefix = "model.layers.1.block_sparse_moe.experts.2.";
  EXPECT_EQ(expert.gate.name, prefix + "w1.weight");
  EXPECT_EQ(expert.up.name, prefix + "w3.weight");
  EXPECT_EQ(expert.down.name, prefix + "w2.weight");
}

TEST_F(CheckpointTest, TakesFusedExpertsApart) {
  for (const char* family : {"mixtral", "olmoe", "qwen2_moe", "qwen3_moe"}) {
    const TinyModel separate = MakeTinyModel(family);
    TinyModel fused = separate;
    FuseExperts(fused);
    const fs::path other = folder_.native() + ".other";
    WriteTinyModel(other, separate);
    const auto expected = Checkpoint::Open(other);
    const auto found = Open(fused);
    ASSERT_TRUE(expected.ok()) << expected.status();
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_THAT((*found)->unused_tensors(), IsEmpty());
    EXPECT_EQ((*found)->size_bytes(), (*expected)->size_bytes());
    const auto views = (*found)->TensorsOfLayer(1);
    const auto expected_views = (*expected)->TensorsOfLayer(1);
    ASSERT_EQ(views.size(), expected_views.size());
    for (size_t i = 0; i < views.size(); ++i) {
      EXPECT_EQ(views[i].shape, expected_views[i].shape) << views[i].name;
      EXPECT_EQ(BytesOf(views[i]), BytesOf(expected_views[i]));
    }
    fs::remove_all(other);
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
  EXPECT_EQ((*checkpoint)->layer(0).experts[1].up.name,
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
  std::string expected;
  for (const TensorView& view : (*single)->TensorsOfLayer(0)) {
    expected += BytesOf(view);
  }
  const auto sharded = Open(model, 5);
  ASSERT_TRUE(sharded.ok()) << sharded.status();
  std::string found;
  for (const TensorView& view : (*sharded)->TensorsOfLayer(0)) {
    found += BytesOf(view);
  }
  EXPECT_EQ(found, expected);
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
    EXPECT_EQ(names.size(), model.tensors.size() - 3) << family;
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

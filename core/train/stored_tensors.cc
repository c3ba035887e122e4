#include "core/train/stored_tensors.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/quoted.h"
#include "core/checkpoint/header_tensor.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/safetensors_file.h"
#include "core/checkpoint/safetensors_writer.h"
#include "core/model/weight.h"
#include "core/plan/decoder_shape.h"
#include "core/train/parameters.h"

namespace moeprobe {
namespace {

// Names of an expert's matrices, and of the block they are in.
struct MlpNames {
  std::string_view gate, up, down;
};
constexpr MlpNames kMixtralExpert{.gate = "w1", .up = "w3", .down = "w2"};
constexpr MlpNames kLlamaMlp{
    .gate = "gate_proj", .up = "up_proj", .down = "down_proj"};
constexpr MlpNames kTwoLayerMlp{.gate = "", .up = "fc1", .down = "fc2"};

class Namer {
 public:
  explicit Namer(const DecoderShape& shape) : shape_(shape) {}

  void Add(const std::string& name, const at::Tensor& tensor) {
    if (tensor.defined()) list_.push_back({.name = name, .view = tensor});
  }

  void AddWeightAndBias(const std::string& name, const at::Tensor& weight,
                        const at::Tensor& bias) {
    Add(name + ".weight", weight);
    Add(name + ".bias", bias);
  }

  void AddLayer(const std::string& prefix, const LayerParameters& layer) {
    AddWeightAndBias(prefix + "input_layernorm", layer.attention_norm,
                     layer.attention_norm_bias);
    AddAttention(prefix + "self_attn.", layer);
    AddWeightAndBias(prefix + "post_attention_layernorm", layer.mlp_norm,
                     layer.mlp_norm_bias);
    AddMlps(prefix, layer);
  }

  std::vector<StoredTensor> Finish() { return std::move(list_); }

 private:
  void AddAttention(const std::string& prefix, const LayerParameters& layer) {
    if (shape_.is_mlp()) return;
    constexpr std::array<const char*, 3> kParts{"q_proj", "k_proj", "v_proj"};
    const int64_t d = shape_.width;
    for (int64_t i = 0; i < 3; ++i) {
      const at::Tensor bias =
          layer.projection_bias.defined()
              ? layer.projection_bias.slice(0, i * d, (i + 1) * d)
              : at::Tensor();
      AddWeightAndBias(prefix + kParts[static_cast<size_t>(i)],
                       layer.projections.slice(0, i * d, (i + 1) * d), bias);
    }
    AddWeightAndBias(prefix + "o_proj", layer.output, layer.output_bias);
  }

  void AddMlps(const std::string& prefix, const LayerParameters& layer) {
    const bool is_gated = shape_.expert == ExpertKind::kGatedMlp;
    if (shape_.experts == 0) {
      AddMlp(prefix + "mlp.", is_gated ? kLlamaMlp : kTwoLayerMlp,
             layer.experts, 0);
      return;
    }
    const std::string block = prefix + "block_sparse_moe.";
    AddWeightAndBias(block + "gate", layer.router, layer.router_bias);
    for (int64_t e = 0; e < shape_.experts; ++e) {
      AddMlp(absl::StrCat(block, "experts.", e, "."),
             is_gated ? kMixtralExpert : kTwoLayerMlp, layer.experts, e);
    }
  }

  void AddMlp(const std::string& prefix, const MlpNames& names,
              const ExpertParameters& experts, int64_t e) {
    const auto part = [e](const at::Tensor& stack) {
      return stack.defined() ? stack[e] : at::Tensor();
    };
    AddWeightAndBias(prefix + std::string(names.gate), part(experts.gate), {});
    AddWeightAndBias(prefix + std::string(names.up), part(experts.up),
                     part(experts.up_bias));
    AddWeightAndBias(prefix + std::string(names.down), experts.down[e].t(),
                     part(experts.down_bias));
  }

  DecoderShape shape_;
  std::vector<StoredTensor> list_;
};

// What is wrong with `tensor` for `view`; empty: nothing.
std::string Mismatch(const HeaderTensor& tensor, const at::Tensor& view) {
  const std::vector<int64_t> shape = view.sizes().vec();
  if (tensor.dtype == "F32" && tensor.shape == shape) return "";
  return absl::StrCat("is ", std::string(tensor.dtype), " [",
                      absl::StrJoin(tensor.shape, ", "), "], expected F32 [",
                      absl::StrJoin(shape, ", "), "]");
}

}  // namespace

std::vector<StoredTensor> StoredTensors(const ModelParameters& model,
                                        const DecoderShape& shape) {
  const at::NoGradGuard no_gradients;
  Namer namer(shape);
  namer.Add("model.examples.weight", model.examples);
  namer.Add("model.embed_tokens.weight", model.embedding);
  namer.Add("model.embed_positions.weight", model.positions);
  for (size_t layer = 0; layer < model.layers.size(); ++layer) {
    namer.AddLayer(absl::StrCat("model.layers.", layer, "."),
                   model.layers[layer]);
  }
  namer.AddWeightAndBias("model.norm", model.final_norm, model.final_norm_bias);
  namer.Add(shape.is_mlp() ? "model.readout.weight" : "lm_head.weight",
            model.head);
  return namer.Finish();
}

absl::Status LoadTensors(const SafetensorsFile& file,
                         const std::vector<StoredTensor>& tensors) {
  const at::NoGradGuard no_gradients;
  for (const StoredTensor& stored : tensors) {
    const auto found =
        std::ranges::find(file.tensors(), stored.name, &HeaderTensor::name);
    const std::string wrong = found == file.tensors().end()
                                  ? "is missing"
                                  : Mismatch(*found, stored.view);
    if (!wrong.empty()) {
      return absl::FailedPreconditionError(absl::StrCat(
          file.path().native(), ": tensor ", Quoted(stored.name), " ", wrong));
    }
    stored.view.copy_(StoredWeight({.name = stored.name,
                                    .shape = found->shape,
                                    .bytes = file.BytesOf(*found)}));
  }
  return absl::OkStatus();
}

PlainTensors::PlainTensors(const std::vector<StoredTensor>& tensors) {
  tensors_.reserve(tensors.size());
  entries_.reserve(tensors.size());
  for (const StoredTensor& stored : tensors) {
    const at::Tensor& tensor =
        tensors_.emplace_back(stored.view.detach().contiguous());
    entries_.push_back(
        {.name = stored.name,
         .dtype = "F32",
         .shape = tensor.sizes().vec(),
         .bytes = {static_cast<const char*>(tensor.const_data_ptr()),
                   tensor.nbytes()}});
  }
}

absl::Status StoreTensors(const std::filesystem::path& path,
                          const std::vector<StoredTensor>& tensors) {
  return WriteSafetensors(path, PlainTensors(tensors).entries());
}

}  // namespace moeprobe

#include "tests/testing/tiny_checkpoint.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ios>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/model_family.h"
#include "core/checkpoint/tensor_view.h"
#include "tests/testing/safetensors_bytes.h"

namespace moeprobe {
namespace {

// Uniform on the multiples of 1/256 in [-1/2, 1/2]; SplitMix64 underneath.
class ValueSource {
 public:
  explicit ValueSource(uint64_t seed) : state_(seed) {}

  float Next() {
    uint64_t bits = state_ += 0x9E3779B97F4A7C15;
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9;
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB;
    bits ^= bits >> 31;
    return static_cast<float>(static_cast<int64_t>(bits % 257) - 128) / 256;
  }

 private:
  uint64_t state_;
};

// Collects the tensors of one model.
class TensorWriter {
 public:
  explicit TensorWriter(uint64_t seed) : values_(seed) {}

  void Add(const std::string& name, const std::vector<int64_t>& shape,
           float offset = 0) {
    size_t count = 1;
    for (const int64_t size : shape) count *= static_cast<size_t>(size);
    std::string bytes(count * sizeof(float), '\0');
    for (size_t i = 0; i < count; ++i) {
      const float value = offset + values_.Next();
      std::memcpy(&bytes[i * sizeof(float)], &value, sizeof(float));
    }
    tensors_.push_back({.name = name,
                        .dtype = "F32",
                        .shape = shape,
                        .bytes = std::move(bytes)});
  }
  void AddNorm(const std::string& name, int64_t width) {
    Add(name + ".weight", {width}, 1);
  }
  void AddLinear(const std::string& name, int64_t outputs, int64_t inputs,
                 bool has_bias) {
    Add(name + ".weight", {outputs, inputs});
    if (has_bias) Add(name + ".bias", {outputs});
  }

  std::vector<TensorToWrite> Take() { return std::move(tensors_); }

 private:
  ValueSource values_;
  std::vector<TensorToWrite> tensors_;
};

std::map<std::string, std::string> MakeConfig(const ModelFamily& family,
                                              const TinyOptions& options) {
  const auto boolean = [](bool value) { return value ? "true" : "false"; };
  std::map<std::string, std::string> config = {
      {"model_type", absl::StrCat("\"", std::string(family.model_type), "\"")},
      {"hidden_act",
       family.expert_kind == ExpertKind::kGatedMlp ? "\"silu\"" : "\"gelu\""},
      {"hidden_size", absl::StrCat(options.width)},
      {"num_hidden_layers", absl::StrCat(options.layer_count)},
      {"num_attention_heads", absl::StrCat(options.head_count)},
      {"num_key_value_heads", absl::StrCat(options.key_value_head_count)},
      {"head_dim", absl::StrCat(options.head_width)},
      {"vocab_size", absl::StrCat(options.vocabulary_size)},
      {family.has_layer_norms ? "layer_norm_eps" : "rms_norm_eps", "1e-05"},
      {"max_position_embeddings", absl::StrCat(options.position_count)},
      {"rope_parameters", R"({"rope_theta":10000.0,"rope_type":"default"})"},
      {"sliding_window", "null"},
      {"attention_bias", boolean(options.attention_bias)},
      {"tie_word_embeddings", boolean(options.tied_embeddings)},
      {"intermediate_size", absl::StrCat(options.dense_width)},
  };
  if (family.is_mlp) {
    config["num_hidden_layers"] = "1";
    config["num_examples"] = config["vocab_size"];
    config["num_outputs"] = absl::StrCat(options.output_count);
  }
  if (!family.moe || options.expert_count == 0) return config;
  const MoeRules& rules = *family.moe;
  config["num_experts"] = absl::StrCat(options.expert_count);
  config["num_experts_per_tok"] = absl::StrCat(options.experts_per_token);
  config[std::string(rules.expert_width_key)] =
      absl::StrCat(options.expert_width);
  config["norm_topk_prob"] = boolean(options.renormalize);
  config["shared_expert_intermediate_size"] =
      absl::StrCat(options.shared_width);
  config["decoder_sparse_step"] = "1";
  config["mlp_only_layers"] =
      absl::StrCat("[", absl::StrJoin(options.dense_layers, ","), "]");
  return config;
}

void AddAttention(const ModelFamily& family, const TinyOptions& options,
                  const std::string& prefix, TensorWriter& writer) {
  const int64_t width = options.width;
  const int64_t query_width = options.head_count * options.head_width;
  const int64_t key_width = options.key_value_head_count * options.head_width;
  writer.Add(prefix + "q_proj.weight", {query_width, width});
  writer.Add(prefix + "k_proj.weight", {key_width, width});
  writer.Add(prefix + "v_proj.weight", {key_width, width});
  writer.Add(prefix + "o_proj.weight", {width, query_width});
  const bool all_biases =
      family.biases == BiasRule::kAll ||
      (family.biases == BiasRule::kAllByConfig && options.attention_bias);
  if (all_biases || family.biases == BiasRule::kQueryKeyValue ||
      family.biases == BiasRule::kQueryKeyValueByConfig) {
    writer.Add(prefix + "q_proj.bias", {query_width});
    writer.Add(prefix + "k_proj.bias", {key_width});
    writer.Add(prefix + "v_proj.bias", {key_width});
  }
  if (all_biases) writer.Add(prefix + "o_proj.bias", {width});
  if (family.query_key_norm == QueryKeyNorm::kNone) return;
  const bool per_head = family.query_key_norm == QueryKeyNorm::kPerHead;
  writer.AddNorm(prefix + "q_norm",
                 per_head ? options.head_width : query_width);
  writer.AddNorm(prefix + "k_norm", per_head ? options.head_width : key_width);
}

// A norm of the residual stream.
void AddLayerNorm(const ModelFamily& family, const std::string& name,
                  int64_t width, TensorWriter& writer) {
  writer.AddNorm(name, width);
  if (family.has_layer_norms) writer.Add(name + ".bias", {width});
}

struct MlpSizes {
  int64_t width;
  int64_t inner;
};

void AddMlp(ExpertKind kind, const std::string& prefix, const MlpNames& names,
            const MlpSizes& sizes, TensorWriter& writer) {
  const auto [width, inner] = sizes;
  const bool is_gated = kind == ExpertKind::kGatedMlp;
  writer.AddLinear(prefix + std::string(names.gate), inner, width, !is_gated);
  if (is_gated) {
    writer.AddLinear(prefix + std::string(names.up), inner, width, false);
  }
  writer.AddLinear(prefix + std::string(names.down), width, inner, !is_gated);
}

void AddMoe(const ModelFamily& family, const MoeRules& rules,
            const TinyOptions& options, const std::string& layer,
            TensorWriter& writer) {
  const std::string block = layer + std::string(rules.block);
  writer.AddLinear(block + "gate", options.expert_count, options.width,
                   rules.has_router_bias);
  for (int64_t i = 0; i < options.expert_count; ++i) {
    AddMlp(family.expert_kind, absl::StrCat(block, "experts.", i, "."),
           rules.expert,
           {.width = options.width, .inner = options.expert_width}, writer);
  }
  if (!rules.has_shared_expert) return;
  AddMlp(family.expert_kind, block + "shared_expert.", family.mlp,
         {.width = options.width, .inner = options.shared_width}, writer);
  writer.Add(block + "shared_expert_gate.weight", {1, options.width});
}

void AddLayer(const ModelFamily& family, const TinyOptions& options,
              int64_t index, TensorWriter& writer) {
  const std::string layer = absl::StrCat("model.layers.", index, ".");
  if (!family.is_mlp) {
    AddLayerNorm(family, layer + "input_layernorm", options.width, writer);
    AddAttention(family, options, layer + "self_attn.", writer);
    AddLayerNorm(family, layer + "post_attention_layernorm", options.width,
                 writer);
  }
  const bool is_dense = options.expert_count == 0 ||
                        std::ranges::count(options.dense_layers, index) > 0;
  if (family.moe && !is_dense) {
    AddMoe(family, *family.moe, options, layer, writer);
  } else {
    AddMlp(family.expert_kind, layer + "mlp.", family.mlp,
           {.width = options.width, .inner = options.dense_width}, writer);
  }
}

// The value as `type` holds it, which must be exact.
std::string Narrow(float value, WeightType type) {
  const auto bits = std::bit_cast<uint32_t>(value);
  auto narrow = static_cast<uint16_t>(bits >> 16);
  if (type == WeightType::kFloat16 && value != 0) {
    const uint32_t sign = bits >> 31;
    const uint32_t exponent = (bits >> 23 & 0xFF) - 127 + 15;
    narrow = static_cast<uint16_t>(sign << 15 | exponent << 10 |
                                   (bits >> 13 & 0x3FF));
  }
  return {static_cast<char>(narrow & 0xFF), static_cast<char>(narrow >> 8)};
}

// Experts of one block, being fused.
struct FusedBlock {
  TensorToWrite gate_up, down;
};

void Append(const TensorToWrite& gate, const TensorToWrite& up,
            const TensorToWrite& down, FusedBlock& block) {
  block.gate_up.shape = {
      block.gate_up.shape.empty() ? 1 : block.gate_up.shape[0] + 1,
      2 * gate.shape[0], gate.shape[1]};
  block.gate_up.bytes += gate.bytes + up.bytes;
  block.down.shape = {block.gate_up.shape[0], down.shape[0], down.shape[1]};
  block.down.bytes += down.bytes;
}

}  // namespace

TinyModel MakeTinyModel(const std::string& family_name,
                        const TinyOptions& options) {
  const ModelFamily* family = FindModelFamily(family_name);
  if (family == nullptr) throw std::invalid_argument(family_name);
  TensorWriter writer(options.seed);
  writer.Add(std::string(family->embedding),
             {options.vocabulary_size, options.width});
  if (family->has_learned_positions) {
    writer.Add("model.embed_positions.weight",
               {options.position_count, options.width});
  }
  for (int64_t i = 0; i < (family->is_mlp ? 1 : options.layer_count); ++i) {
    AddLayer(*family, options, i, writer);
  }
  if (!family->is_mlp) {
    AddLayerNorm(*family, "model.norm", options.width, writer);
  }
  if (!options.tied_embeddings) {
    writer.Add(std::string(family->head),
               {family->is_mlp ? options.output_count : options.vocabulary_size,
                options.width});
  }
  return {.config = MakeConfig(*family, options), .tensors = writer.Take()};
}

void ConvertWeights(TinyModel& model, WeightType type) {
  if (type == WeightType::kFloat32) return;
  for (TensorToWrite& tensor : model.tensors) {
    std::string narrow;
    for (size_t i = 0; i < tensor.bytes.size(); i += sizeof(float)) {
      float value;
      std::memcpy(&value, &tensor.bytes[i], sizeof(float));
      narrow += Narrow(value, type);
    }
    tensor.bytes = std::move(narrow);
    tensor.dtype = type == WeightType::kFloat16 ? "F16" : "BF16";
  }
}

void FuseExperts(TinyModel& model) {
  std::vector<TensorToWrite> tensors;
  std::map<std::string, FusedBlock> blocks;
  // An expert's gate, up and down follow one another, experts in order.
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    TensorToWrite& tensor = model.tensors[i];
    tensor.name =
        absl::StrReplaceAll(tensor.name, {{".block_sparse_moe.", ".mlp."}});
    const size_t at = tensor.name.find(".experts.");
    if (at == std::string::npos) {
      tensors.push_back(tensor);
      continue;
    }
    Append(tensor, model.tensors[i + 1], model.tensors[i + 2],
           blocks[tensor.name.substr(0, at)]);
    i += 2;
  }
  for (auto& [name, block] : blocks) {
    block.gate_up.name = name + ".experts.gate_up_proj";
    block.down.name = name + ".experts.down_proj";
    block.gate_up.dtype = block.down.dtype = tensors.front().dtype;
    tensors.push_back(std::move(block.gate_up));
    tensors.push_back(std::move(block.down));
  }
  model.tensors = std::move(tensors);
}

TensorToWrite& TensorNamed(TinyModel& model, const std::string& name) {
  const auto found =
      std::ranges::find(model.tensors, name, &TensorToWrite::name);
  if (found == model.tensors.end()) throw std::invalid_argument(name);
  return *found;
}

std::string ConfigText(const TinyModel& model) {
  return absl::StrCat("{",
                      absl::StrJoin(model.config, ",\n ",
                                    [](std::string* out, const auto& entry) {
                                      absl::StrAppend(out, "\"", entry.first,
                                                      "\": ", entry.second);
                                    }),
                      "}\n");
}

void WriteBytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream file;
  file.exceptions(std::ios::failbit | std::ios::badbit);
  file.open(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  file.close();
}

std::string ChangedConfigText(const std::string& family,
                              const ConfigChanges& changes,
                              const TinyOptions& options) {
  TinyModel model = MakeTinyModel(family, options);
  for (const auto& [key, text] : changes) {
    model.config[key] = text;
    if (text.empty()) model.config.erase(key);
  }
  return ConfigText(model);
}

void WriteTinyModel(const std::filesystem::path& directory,
                    const TinyModel& model, size_t shard_count) {
  std::filesystem::create_directories(directory);
  WriteBytes(directory / "config.json", ConfigText(model));
  if (shard_count == 1) {
    WriteBytes(directory / "model.safetensors",
               SafetensorsBytes(model.tensors));
    return;
  }
  std::vector<std::vector<TensorToWrite>> shards(shard_count);
  std::vector<std::string> entries;
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    const size_t shard = i % shard_count;
    shards[shard].push_back(model.tensors[i]);
    entries.push_back(absl::StrCat("\"", model.tensors[i].name, "\": \"model-",
                                   shard, ".safetensors\""));
  }
  for (size_t i = 0; i < shard_count; ++i) {
    WriteBytes(directory / absl::StrCat("model-", i, ".safetensors"),
               SafetensorsBytes(shards[i]));
  }
  WriteBytes(directory / "model.safetensors.index.json",
             absl::StrCat(R"({"metadata": {"total_size": 1}, "weight_map": {)",
                          absl::StrJoin(entries, ", "), "}}\n"));
}

}  // namespace moeprobe

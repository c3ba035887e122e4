#ifndef MOEPROBE_TESTS_TESTING_TINY_CHECKPOINT_H_
#define MOEPROBE_TESTS_TESTING_TINY_CHECKPOINT_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/checkpoint/tensor_view.h"
#include "tests/testing/safetensors_bytes.h"

namespace moeprobe {

// Sizes of a tiny model; those a family has no use for are left out.
struct TinyOptions {
  int64_t width = 8;
  int64_t head_count = 2;
  int64_t key_value_head_count = 1;
  int64_t head_width = 4;
  int64_t layer_count = 2;
  int64_t vocabulary_size = 16;  // or examples
  int64_t output_count = 3;      // of an MLP
  int64_t dense_width = 12;
  int64_t position_count = 64;
  int64_t expert_count = 4;  // 0: no experts, where a family may lack them
  int64_t experts_per_token = 2;
  int64_t expert_width = 6;
  int64_t shared_width = 10;
  std::vector<int64_t> dense_layers = {};  // mlp_only_layers
  bool renormalize = true;                 // norm_topk_prob
  bool attention_bias = false;             // where attention_bias decides
  bool tied_embeddings = false;
  uint64_t seed = 0;
};

// A model before it is written: tests may change it at will.
struct TinyModel {
  std::map<std::string, std::string> config;  // JSON text by key
  std::vector<TensorToWrite> tensors;
};

// Returns a valid model of a supported family: per-expert tensors, float32,
// pseudo-random multiples of 1/256 in [-1/2, 1/2] (norms: in [1/2, 3/2]), which
// float16 and bfloat16 hold exactly. The same arguments give the same bytes.
TinyModel MakeTinyModel(const std::string& family,
                        const TinyOptions& options = {});

// Stores the same values as `type`.
void ConvertWeights(TinyModel& model, WeightType type);

// Replaces the tensors of single experts by gate_up_proj and down_proj, in
// blocks called mlp, as transformers 5 holds them in memory.
void FuseExperts(TinyModel& model);

// Returns the tensor called `name`, which must be there.
TensorToWrite& TensorNamed(TinyModel& model, const std::string& name);

// Returns the text of config.json.
std::string ConfigText(const TinyModel& model);

// Keys of config.json to set; an empty text takes the key out.
using ConfigChanges = std::vector<std::pair<std::string, std::string>>;

// Returns the text of config.json of a tiny model after `changes`.
std::string ChangedConfigText(const std::string& family,
                              const ConfigChanges& changes,
                              const TinyOptions& options = {});

// Writes the model to `directory`, which is made if need be: config.json and
// model.safetensors, or that many shards with an index. Throws if it cannot.
void WriteTinyModel(const std::filesystem::path& directory,
                    const TinyModel& model, size_t shard_count = 1);

// Writes a file, whatever was there before. Throws if it cannot.
void WriteBytes(const std::filesystem::path& path, const std::string& bytes);

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_TESTING_TINY_CHECKPOINT_H_

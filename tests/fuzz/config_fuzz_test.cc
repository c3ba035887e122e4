// What stands beside a model's weights.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/checkpoint/model_config.h"
#include "core/checkpoint/weight_index.h"
#include "tests/fuzz/parser_fuzz.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

TEST(ConfigFuzzTest, ReadsOrRefusesConfigurations) {
  std::vector<std::string> seeds;
  for (const char* family : {"mixtral", "qwen2_moe", "qwen3_moe", "olmoe"}) {
    seeds.push_back(ConfigText(MakeTinyModel(family)));
  }
  std::vector<std::string> words = JsonWords();
  words.insert(words.end(), {"rope_scaling", "num_experts", "head_dim"});
  FuzzParser({.seeds = seeds, .words = words}, [](const std::string& input) {
    return ParseModelConfig(input).status();
  });
}

TEST(ConfigFuzzTest, ReadsOrRefusesIndices) {
  FuzzParser(
      {.seeds =
           {R"({"weight_map": {"a": "x.safetensors", "b": "y.safetensors"}})"},
       .words = JsonWords()},
      [](const std::string& input) {
        return ParseWeightIndex(input).status();
      });
}

}  // namespace
}  // namespace moeprobe

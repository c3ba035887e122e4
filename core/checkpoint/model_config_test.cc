#include "core/checkpoint/model_config.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

absl::StatusOr<ModelConfig> Parse(const std::string& family,
                                  const ConfigChanges& changes = {},
                                  int64_t layer_count = 2) {
  return ParseModelConfig(
      ChangedConfigText(family, changes, {.layer_count = layer_count}));
}

TEST(ModelConfigTest, ReadsEverySize) {
  const auto config = Parse("qwen2_moe", {{"mlp_only_layers", "[1]"}}, 3);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->family, "qwen2_moe");
  EXPECT_EQ(config->width, 8);
  EXPECT_EQ(config->vocabulary_size, 16);
  EXPECT_EQ(config->norm_epsilon, 1e-5);
  EXPECT_FALSE(config->tied_embeddings);
  EXPECT_EQ(config->attention.head_count, 2);
  EXPECT_EQ(config->attention.key_value_head_count, 1);
  EXPECT_EQ(config->attention.head_width, 4);
  EXPECT_EQ(config->attention.rope_theta, 10000.0);
  EXPECT_TRUE(config->attention.query_key_value_bias);
  EXPECT_FALSE(config->attention.output_bias);
  EXPECT_EQ(config->experts.count, 4);
  EXPECT_EQ(config->experts.per_token, 2);
  EXPECT_EQ(config->experts.width, 6);
  EXPECT_TRUE(config->experts.renormalize);
  EXPECT_EQ(config->experts.shared_width, 10);
  ASSERT_EQ(config->layers.size(), 3);
  EXPECT_TRUE(config->layers[0].is_moe);
  EXPECT_EQ(config->layers[0].dense_width, 0);
  EXPECT_FALSE(config->layers[1].is_moe);
  EXPECT_EQ(config->layers[1].dense_width, 12);
}

TEST(ModelConfigTest, ReadsTheKeysOfTransformers4) {
  const auto config = Parse("mixtral", {{"rope_parameters", ""},
                                        {"rope_theta", "1000000.0"},
                                        {"rope_scaling", "null"},
                                        {"num_experts", ""},
                                        {"num_local_experts", "8"},
                                        {"norm_topk_prob", ""},
                                        {"torch_dtype", "\"bfloat16\""}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->attention.rope_theta, 1e6);
  EXPECT_EQ(config->experts.count, 8);
  EXPECT_TRUE(config->experts.renormalize);
}

TEST(ModelConfigTest, KnowsWhereAFamilyNormalisesQueriesAndKeys) {
  EXPECT_EQ(Parse("llama")->attention.query_key_norm, QueryKeyNorm::kNone);
  EXPECT_EQ(Parse("qwen3_moe")->attention.query_key_norm,
            QueryKeyNorm::kPerHead);
  EXPECT_EQ(Parse("olmoe")->attention.query_key_norm,
            QueryKeyNorm::kWholeProjection);
}

TEST(ModelConfigTest, ReadsTheFamilyOfItsOwn) {
  const auto config = Parse("moeprobe", {{"router_temperature", "0.5"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->expert_kind, ExpertKind::kGeluMlp);
  EXPECT_EQ(config->position_count, 64);
  EXPECT_EQ(config->norm_epsilon, 1e-5);
  EXPECT_EQ(config->attention.rope_theta, std::nullopt);
  EXPECT_TRUE(config->attention.query_key_value_bias);
  EXPECT_TRUE(config->attention.output_bias);
  EXPECT_EQ(config->experts.count, 4);
  EXPECT_TRUE(config->experts.renormalize);
  EXPECT_EQ(config->experts.temperature, 0.5);
  EXPECT_EQ(Parse("moeprobe")->experts.temperature, 1);
  EXPECT_EQ(Parse("mixtral")->experts.temperature, 1);
  EXPECT_EQ(Parse("mixtral")->expert_kind, ExpertKind::kGatedMlp);
}

TEST(ModelConfigTest, ReadsModelsWithoutAttention) {
  for (const char* family : {"moeprobe_mlp", "moeprobe_gated_mlp"}) {
    const auto config = Parse(family, {{"router_temperature", "0.5"}});
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_TRUE(config->is_mlp);
    EXPECT_EQ(config->vocabulary_size, 16);
    EXPECT_EQ(config->output_count, 3);
    EXPECT_EQ(config->attention.head_count, 0);
    EXPECT_EQ(config->experts.temperature, 0.5);
    EXPECT_EQ(config->layers.size(), 1U);
    EXPECT_TRUE(config->layers[0].is_moe);
  }
  EXPECT_EQ(Parse("moeprobe_gated_mlp")->expert_kind, ExpertKind::kGatedMlp);
  EXPECT_FALSE(Parse("moeprobe")->is_mlp);
  EXPECT_EQ(Parse("moeprobe")->output_count, 16);
}

TEST(ModelConfigTest, ReadsADenseModelWhereNoExpertsAreStated) {
  const auto config =
      ParseModelConfig(ChangedConfigText("moeprobe", {}, {.expert_count = 0}));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->experts.count, 0);
  EXPECT_FALSE(config->layers[1].is_moe);
  EXPECT_EQ(config->layers[1].dense_width, 12);
}

TEST(ModelConfigTest, ReadsWhatWeightsWereBeforeTraining) {
  EXPECT_EQ(Parse("mixtral")->initialization, InitialWeights::kNormal);
  EXPECT_EQ(Parse("mixtral")->initializer_range, 0.02);
  EXPECT_EQ(Parse("moeprobe", {{"initialization", "\"normal\""},
                               {"initializer_range", "0.3"}})
                ->initializer_range,
            0.3);
  EXPECT_EQ(
      Parse("moeprobe", {{"initialization", "\"torch\""}})->initialization,
      InitialWeights::kTorch);
}

TEST(ModelConfigTest, NoticesCodeOfTheCheckpointsOwn) {
  EXPECT_FALSE(Parse("mixtral")->names_own_code);
  EXPECT_FALSE(Parse("mixtral", {{"auto_map", "null"}})->names_own_code);
  EXPECT_TRUE(Parse("mixtral", {{"auto_map", R"({"AutoModel": "m.Model"})"}})
                  ->names_own_code);
}

TEST(ModelConfigTest, DerivesHeadWidthWhereItIsAbsentOrNull) {
  for (const char* text : {"", "null"}) {
    const auto config =
        Parse("mixtral", {{"head_dim", text}, {"hidden_size", "12"}});
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(config->attention.head_width, 6);
  }
}

TEST(ModelConfigTest, TakesKeyValueHeadsForHeadsWhereTheReferenceDoes) {
  EXPECT_EQ(Parse("llama", {{"num_key_value_heads", ""}})
                ->attention.key_value_head_count,
            2);
  EXPECT_EQ(Parse("qwen2", {{"num_key_value_heads", "null"}})
                ->attention.key_value_head_count,
            2);
}

TEST(ModelConfigTest, ReadsAbsentSwitchesAsTheReferenceDoes) {
  EXPECT_FALSE(Parse("llama", {{"tie_word_embeddings", ""}})->tied_embeddings);
  EXPECT_FALSE(Parse("qwen3", {{"attention_bias", ""}})->attention.output_bias);
  EXPECT_TRUE(Parse("qwen2_moe")->attention.query_key_value_bias);
  EXPECT_FALSE(Parse("qwen2_moe", {{"qkv_bias", "false"}})
                   ->attention.query_key_value_bias);
  EXPECT_TRUE(
      Parse("qwen3_moe", {{"mlp_only_layers", ""}, {"decoder_sparse_step", ""}})
          ->layers[0]
          .is_moe);
  EXPECT_EQ(Parse("llama", {{"rope_parameters", ""}})->attention.rope_theta,
            10000.0);
}

TEST(ModelConfigTest, ReadsBiasesOfAllProjections) {
  for (const char* family : {"llama", "olmoe", "qwen3", "qwen3_moe"}) {
    const auto config = Parse(family, {{"attention_bias", "true"}});
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_TRUE(config->attention.query_key_value_bias) << family;
    EXPECT_TRUE(config->attention.output_bias) << family;
  }
}

TEST(ModelConfigTest, ReadsOlmoesClip) {
  EXPECT_EQ(Parse("olmoe", {{"clip_qkv", "8.0"}})->attention.clip, 8.0);
  EXPECT_EQ(Parse("olmoe", {{"clip_qkv", "null"}})->attention.clip,
            std::nullopt);
}

void ExpectRefused(const std::string& family, const ConfigChanges& changes,
                   const std::string& named,
                   absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
  const absl::Status status = Parse(family, changes).status();
  SCOPED_TRACE(changes.front().first + " " + changes.front().second);
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(named));
}

TEST(ModelConfigTest, RefusesImpossibleSizes) {
  ExpectRefused("mixtral", {{"num_experts", "0"}},
                "key \"num_experts\" is 0, expected an integer in [1, 16384]");
  ExpectRefused("mixtral", {{"num_experts", "-1"}},
                "key \"num_experts\" is -1");
  ExpectRefused("mixtral", {{"num_experts", "2147483648"}},
                "is 2147483648, expected");
  ExpectRefused("mixtral", {{"num_experts", "1000000000"}},
                "is 1000000000, expected");
  ExpectRefused("mixtral", {{"num_experts", "99999999999999999999"}},
                "is 99999999999999999999, expected");
  ExpectRefused(
      "mixtral", {{"num_local_experts", "5"}},
      "key \"num_local_experts\" is 5, expected num_experts, which is 4");
  ExpectRefused(
      "mixtral", {{"num_experts_per_tok", "5"}},
      "key \"num_experts_per_tok\" is 5, expected an integer in [1, 4]");
  ExpectRefused("mixtral", {{"num_experts_per_tok", "0"}}, "is 0, expected");
  ExpectRefused(
      "mixtral", {{"num_attention_heads", "3"}, {"head_dim", ""}},
      "key \"hidden_size\" is 8, expected a multiple of num_attention_heads");
  ExpectRefused(
      "mixtral", {{"num_key_value_heads", "3"}},
      "key \"num_key_value_heads\" is 3, expected an integer in [1, 2]");
  ExpectRefused("mixtral",
                {{"num_key_value_heads", "2"}, {"num_attention_heads", "3"}},
                "a divisor of num_attention_heads, which is 3");
  ExpectRefused("mixtral", {{"num_hidden_layers", "1000000000"}},
                "key \"num_hidden_layers\" is 1000000000");
  ExpectRefused("mixtral", {{"hidden_size", "0"}}, "key \"hidden_size\" is 0");
  ExpectRefused("mixtral", {{"vocab_size", "-5"}}, "key \"vocab_size\" is -5");
  ExpectRefused("mixtral", {{"intermediate_size", "0"}},
                "\"intermediate_size\" is 0");
  ExpectRefused("qwen3", {{"head_dim", "5"}}, "is 5, expected an even number");
  ExpectRefused("qwen3_moe", {{"decoder_sparse_step", "0"}},
                "key \"decoder_sparse_step\" is 0");
  ExpectRefused(
      "qwen3_moe", {{"mlp_only_layers", "[2]"}},
      "key \"mlp_only_layers\" holds 2, expected a list of integers in [0, "
      "1]");
  ExpectRefused("qwen2_moe", {{"shared_expert_intermediate_size", "0"}},
                "key \"shared_expert_intermediate_size\" is 0");
  ExpectRefused("mistral", {{"sliding_window", "-1"}},
                "key \"sliding_window\" is -1");
  ExpectRefused("mixtral", {{"rms_norm_eps", "0"}},
                "is 0, expected a number above 0");
  ExpectRefused("moeprobe", {{"router_temperature", "0"}},
                "is 0, expected a number above 0");
  ExpectRefused("moeprobe", {{"max_position_embeddings", "0"}},
                "key \"max_position_embeddings\" is 0");
  ExpectRefused("moeprobe_mlp", {{"num_hidden_layers", "2"}},
                "key \"num_hidden_layers\" is 2");
  ExpectRefused("moeprobe_mlp", {{"tie_word_embeddings", "true"}},
                "expected false: examples are no head");
  ExpectRefused("moeprobe", {{"initialization", "\"xavier\""}},
                "\"xavier\", expected normal or torch");
  ExpectRefused("olmoe", {{"clip_qkv", "-8"}},
                "is -8, expected a number above 0");
}

TEST(ModelConfigTest, RefusesMissingKeys) {
  for (const char* key :
       {"model_type", "hidden_act", "hidden_size", "num_hidden_layers",
        "num_attention_heads", "num_key_value_heads", "vocab_size",
        "rms_norm_eps", "norm_topk_prob", "num_experts_per_tok",
        "moe_intermediate_size", "shared_expert_intermediate_size"}) {
    ExpectRefused("qwen2_moe", {{key, ""}},
                  std::string("key \"") + key + "\" is missing, expected");
  }
  ExpectRefused("mixtral", {{"num_experts", ""}},
                "key \"num_local_experts\" is missing");
  ExpectRefused("mixtral", {{"rope_parameters", ""}},
                "key \"rope_theta\" is missing");
  for (const char* key :
       {"layer_norm_eps", "max_position_embeddings", "norm_topk_prob"}) {
    ExpectRefused("moeprobe", {{key, ""}},
                  std::string("key \"") + key + "\" is missing, expected");
  }
  for (const char* key : {"num_examples", "num_outputs"}) {
    ExpectRefused("moeprobe_mlp", {{key, ""}},
                  std::string("key \"") + key + "\" is missing, expected");
  }
  ExpectRefused("qwen3", {{"head_dim", ""}}, "key \"head_dim\" is missing");
  ExpectRefused("mistral", {{"sliding_window", ""}},
                "key \"sliding_window\" is missing");
  ExpectRefused("qwen2",
                {{"use_sliding_window", "true"}, {"sliding_window", "4"}},
                "key \"max_window_layers\" is missing");
}

TEST(ModelConfigTest, RefusesWrongTypes) {
  ExpectRefused("mixtral", {{"hidden_size", "8.0"}},
                "is 8.0, expected an integer");
  ExpectRefused("mixtral", {{"hidden_size", "\"8\""}},
                "is the string \"8\", expected an integer");
  ExpectRefused("mixtral", {{"hidden_size", "8e0"}},
                "is 8e0, expected an integer");
  ExpectRefused("mixtral", {{"hidden_size", "[8]"}},
                "is a list of 1, expected");
  ExpectRefused("mixtral", {{"tie_word_embeddings", "1"}},
                "expected true or false");
  ExpectRefused("mixtral", {{"rms_norm_eps", "\"1e-5\""}},
                "expected a number above 0");
  ExpectRefused("mixtral", {{"model_type", "7"}}, "expected a string");
  ExpectRefused("mixtral", {{"rope_parameters", "[]"}},
                "expected an object or null");
  ExpectRefused("qwen3_moe", {{"mlp_only_layers", "1"}},
                "expected a list of integers");
  ExpectRefused("qwen2", {{"layer_types", "[\"full_attention\"]"}},
                "is a list of 1, expected a list of 2");
  ExpectRefused("qwen2",
                {{"layer_types", R"(["full_attention", "sliding_attention"])"}},
                "lets layer 1 slide, expected use_sliding_window");
}

TEST(ModelConfigTest, RefusesMalformedJson) {
  ExpectRefused("mixtral", {{"rms_norm_eps", "NaN"}}, "not valid JSON");
  ExpectRefused("mixtral", {{"rms_norm_eps", "Infinity"}}, "not valid JSON");
  ExpectRefused("mixtral", {{"rope_theta", "1e999"}}, "not valid JSON");
  ExpectRefused("mixtral", {{"a", "1, \"a\": 1"}}, "key \"a\" appears twice");
  ExpectRefused("mixtral", {{"a", R"({"b": 1, "b": 2})"}},
                "\"b\" appears twice");
  EXPECT_EQ(ParseModelConfig("[]").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(ModelConfigTest, RefusesBadRotations) {
  ExpectRefused("mixtral", {{"rope_parameters", ""}, {"rope_theta", "0"}},
                "key \"rope_theta\" is 0, expected a number above 0");
  ExpectRefused("mixtral", {{"rope_parameters", R"({"rope_theta": -1})"}},
                "key \"rope_parameters.rope_theta\" is -1");
  ExpectRefused("llama", {{"rope_parameters", ""}, {"rope_theta", "\"10000\""}},
                "key \"rope_theta\" is the string");
}

TEST(ModelConfigTest, NamesWhatIsNotSupported) {
  constexpr absl::StatusCode kUnimplemented = absl::StatusCode::kUnimplemented;
  ExpectRefused(
      "mixtral", {{"model_type", "\"deepseek_v3\""}},
      "is \"deepseek_v3\", expected one of llama, mistral, mixtral, moeprobe",
      kUnimplemented);
  ExpectRefused("mixtral", {{"hidden_act", "\"gelu\""}},
                "\"gelu\", expected silu", kUnimplemented);
  ExpectRefused("moeprobe", {{"hidden_act", "\"gelu_new\""}},
                "\"gelu_new\", expected gelu", kUnimplemented);
  ExpectRefused("llama", {{"mlp_bias", "true"}}, "\"mlp_bias\"",
                kUnimplemented);
  ExpectRefused("llama",
                {{"rope_scaling", R"({"type": "linear", "factor": 2.0})"}},
                "asks for rope type \"linear\"", kUnimplemented);
  ExpectRefused(
      "llama",
      {{"rope_parameters", R"({"rope_theta": 5e5, "rope_type": "llama3"})"}},
      "asks for rope type \"llama3\"", kUnimplemented);
  ExpectRefused(
      "qwen2",
      {{"rope_parameters", R"({"full_attention": {"rope_theta": 1.0}})"}},
      "parameters for \"full_attention\"", kUnimplemented);
  ExpectRefused("llama", {{"partial_rotary_factor", "0.5"}}, "partial rotation",
                kUnimplemented);
  ExpectRefused("mixtral",
                {{"quantization_config", R"({"quant_method": "gptq"})"}},
                "asks for the string \"gptq\"", kUnimplemented);
  ExpectRefused("mixtral", {{"quantization_config", "{}"}}, "quantised weights",
                kUnimplemented);
  ExpectRefused("qwen3",
                {{"layer_types", R"(["chunked_attention", "full_attention"])"}},
                "\"chunked_attention\"", kUnimplemented);
}

// Code that a checkpoint brings along is never run: the family decides.
TEST(ModelConfigTest, IgnoresKeysItDoesNotKnow) {
  const auto config =
      Parse("mixtral", {{"auto_map", R"({"AutoModel": "evil.Model"})"},
                        {"architectures", "[\"SomethingElse\"]"}});
  EXPECT_TRUE(config.ok()) << config.status();
}

// Without the line feed at the end.
std::string SmallGoodText() {
  std::string text = ConfigText(MakeTinyModel("qwen2_moe"));
  text.pop_back();
  return text;
}

TEST(ModelConfigTest, RefusesEveryTruncation) {
  const std::string good = SmallGoodText();
  ASSERT_TRUE(ParseModelConfig(good).ok());
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(ParseModelConfig(good.substr(0, size)).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(ModelConfigTest, SurvivesEveryFlippedBit) {
  const std::string good = SmallGoodText();
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string text = good;
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
    const auto config = ParseModelConfig(text);
    EXPECT_TRUE(config.ok() ? !config->layers.empty()
                            : config.status().message().size() < 1000);
  }
}

TEST(ModelConfigTest, ListsTheSupportedFamilies) {
  EXPECT_THAT(SupportedFamilies(),
              ElementsAre("llama", "mistral", "mixtral", "moeprobe",
                          "moeprobe_gated_mlp", "moeprobe_mlp", "olmoe",
                          "qwen2", "qwen2_moe", "qwen3", "qwen3_moe"));
}

}  // namespace
}  // namespace moeprobe

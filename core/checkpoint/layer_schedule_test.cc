#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/checkpoint/model_config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;

absl::StatusOr<ModelConfig> Parse(const std::string& family,
                                  const ConfigChanges& changes = {},
                                  int64_t layer_count = 2) {
  return ParseModelConfig(
      ChangedConfigText(family, changes, {.layer_count = layer_count}));
}

// The windows of layers, -1 where a layer sees everything.
std::vector<int64_t> WindowsOf(const absl::StatusOr<ModelConfig>& config) {
  std::vector<int64_t> windows;
  EXPECT_TRUE(config.ok()) << config.status();
  if (!config.ok()) return windows;
  for (const LayerConfig& layer : config->layers) {
    windows.push_back(layer.sliding_window.value_or(-1));
  }
  return windows;
}

TEST(LayerScheduleTest, PlacesMoeLayersByStepAndException) {
  const auto config =
      Parse("qwen3_moe",
            {{"decoder_sparse_step", "2"}, {"mlp_only_layers", "[3]"}}, 5);
  ASSERT_TRUE(config.ok()) << config.status();
  std::vector<bool> is_moe;
  for (const LayerConfig& layer : config->layers) {
    is_moe.push_back(layer.is_moe);
  }
  EXPECT_THAT(is_moe, ElementsAre(false, true, false, false, false));
}

TEST(LayerScheduleTest, AppliesMistralsWindowToEveryLayer) {
  for (const char* family : {"mistral", "mixtral"}) {
    EXPECT_THAT(WindowsOf(Parse(family, {{"sliding_window", "5"}})),
                ElementsAre(5, 5));
    EXPECT_THAT(WindowsOf(Parse(family, {{"sliding_window", "null"}})),
                ElementsAre(-1, -1));
    EXPECT_THAT(WindowsOf(Parse(family, {{"sliding_window", "0"}})),
                ElementsAre(-1, -1));
  }
  EXPECT_THAT(WindowsOf(Parse("mixtral", {{"sliding_window", ""}})),
              ElementsAre(-1, -1));
}

TEST(LayerScheduleTest, IgnoresWindowsOfFamiliesWithoutThem) {
  for (const char* family : {"llama", "olmoe"}) {
    EXPECT_THAT(WindowsOf(Parse(family, {{"sliding_window", "5"}})),
                ElementsAre(-1, -1));
  }
}

TEST(LayerScheduleTest, AsksQwensWhetherTheirWindowIsUsed) {
  for (const char* family : {"qwen2", "qwen2_moe", "qwen3", "qwen3_moe"}) {
    EXPECT_THAT(WindowsOf(Parse(family, {{"sliding_window", "5"},
                                         {"use_sliding_window", "false"}})),
                ElementsAre(-1, -1));
    EXPECT_THAT(WindowsOf(Parse(family, {{"sliding_window", "5"}})),
                ElementsAre(-1, -1));
  }
}

TEST(LayerScheduleTest, PlacesQwensWindowsByFamily) {
  const ConfigChanges used = {{"sliding_window", "5"},
                              {"use_sliding_window", "true"},
                              {"max_window_layers", "3"}};
  EXPECT_THAT(WindowsOf(Parse("qwen2", used, 5)),
              ElementsAre(-1, -1, -1, 5, 5));
  EXPECT_THAT(WindowsOf(Parse("qwen3", used, 5)),
              ElementsAre(-1, -1, -1, 5, 5));
  EXPECT_THAT(WindowsOf(Parse("qwen2_moe", used, 5)),
              ElementsAre(5, -1, 5, -1, -1));
  EXPECT_THAT(WindowsOf(Parse("qwen3_moe", used, 5)),
              ElementsAre(5, 5, 5, 5, 5));
}

TEST(LayerScheduleTest, LetsLayerTypesPlaceTheWindows) {
  const ConfigChanges used = {
      {"sliding_window", "5"},
      {"use_sliding_window", "true"},
      {"layer_types", R"(["sliding_attention", "full_attention"])"}};
  for (const char* family : {"qwen2", "qwen2_moe", "qwen3"}) {
    EXPECT_THAT(WindowsOf(Parse(family, used)), ElementsAre(5, -1));
  }
}

}  // namespace
}  // namespace moeprobe

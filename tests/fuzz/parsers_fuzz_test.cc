// What reads what strangers write, on a great many inputs that are nearly
// right. The same inputs in every run: to be run with sanitizers, too.

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "client/request/request_reader.h"
#include "core/base/npy.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/safetensors_header.h"
#include "core/checkpoint/weight_index.h"
#include "server/page.h"
#include "server/resource_name.h"
#include "tests/fuzz/mutator.h"
#include "tests/testing/safetensors_bytes.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

// About a second each; tens of seconds with sanitizers.
constexpr int kInputs = 50'000;

using Read = std::function<absl::Status(const std::string& input)>;

// A refusal is text of one line, whatever was read.
void ExpectReadable(const absl::Status& status, const std::string& input) {
  for (const char c : status.message()) {
    ASSERT_FALSE(absl::ascii_iscntrl(static_cast<unsigned char>(c)))
        << status << "\n"
        << testing::PrintToString(input);
  }
}

// Reads the seeds, which have to be right, and what becomes of them.
void Fuzz(const std::vector<std::string>& seeds,
          const std::vector<std::string>& words, const Read& read) {
  for (const std::string& seed : seeds) {
    ASSERT_TRUE(read(seed).ok()) << read(seed);
  }
  Mutator mutator(/*seed=*/1, words);
  int refused = 0;
  for (int i = 0; i < kInputs; ++i) {
    const std::string input =
        mutator.Mutate(seeds[static_cast<size_t>(i) % seeds.size()]);
    const absl::Status status = read(input);
    if (!status.ok()) ++refused;
    ExpectReadable(status, input);
    if (testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(refused, kInputs / 10);
}

std::vector<std::string> JsonWords() {
  return {"{",
          "}",
          "[",
          "]",
          ":",
          ",",
          "\"",
          "null",
          "true",
          "-1",
          "1e999",
          "0.5",
          "\\u0000",
          "\\ud800",
          "\xff",
          "\x1b[",
          "18446744073709551615",
          "9223372036854775807",
          "[[[[[[[[[[[[[[[[",
          "\"a\":"};
}

TEST(ParsersFuzzTest, HeadersOfSafetensors) {
  const std::string file = SafetensorsBytes(
      {{.name = "a",
        .dtype = "F32",
        .shape = {2},
        .bytes = std::string(8, 'x')},
       {.name = "b", .dtype = "BF16", .shape = {}, .bytes = "xx"}});
  std::vector<std::string> words = JsonWords();
  words.insert(words.end(), {"dtype", "shape", "data_offsets", "__metadata__"});
  Fuzz({file, RawSafetensors("{}")}, words, [](const std::string& input) {
    return ParseSafetensorsHeader(std::as_bytes(std::span(input))).status();
  });
}

TEST(ParsersFuzzTest, Configurations) {
  std::vector<std::string> seeds;
  for (const char* family : {"mixtral", "qwen2_moe", "qwen3_moe", "olmoe"}) {
    seeds.push_back(ConfigText(MakeTinyModel(family)));
  }
  std::vector<std::string> words = JsonWords();
  words.insert(words.end(), {"rope_scaling", "num_experts", "head_dim"});
  Fuzz(seeds, words, [](const std::string& input) {
    return ParseModelConfig(input).status();
  });
}

TEST(ParsersFuzzTest, Indices) {
  Fuzz({R"({"weight_map": {"a": "x.safetensors", "b": "y.safetensors"}})"},
       JsonWords(), [](const std::string& input) {
         return ParseWeightIndex(input).status();
       });
}

TEST(ParsersFuzzTest, TokenIds) {
  Fuzz({EncodeTokenIds({1, 2, 3})},
       {"'descr'", "'shape'", "(", ")", ",", "<i8", ">u2", "|b1", "-1",
        "9223372036854775807", "True", "{", "}", "\n"},
       [](const std::string& input) { return DecodeTokenIds(input).status(); });
}

TEST(ParsersFuzzTest, Requests) {
  const std::vector<std::string> seeds = {
      "kind: analyze\nmodel: m\ndata: [{ids: a.npy, tokens: all}, {text: b}]\n"
      "layers: [0, 1]\nprobes: {pca: {components: 3}, spectra: {}}\n"
      "sweep: {routing.temperature: [0.5, 1]}\n",
      "kind: train\ndata: {text: t, held_out: 0.1}\nvariants:\n"
      "  a: {block: dense}\n  b: {routing: {select: all}}\nseeds: [0, 1]\n"};
  Fuzz(seeds, {"&a ",  "*a",    "!!int ",
               "<<: ", "---\n", "...\n",
               "? ",   "%YAML", "{",
               "}",    "[",     "]",
               ": ",   "- ",    "\t",
               "\"",   "'",     "|\n",
               ">\n",  "\xff",  "\x1b[31m",
               "~",    "0x1F",  "1e999",
               ".nan", "yes",   "[[[[[[[[[[[[[[[[[[[["},
       [](const std::string& input) {
         return ReadRequest(input, "f.yaml").status();
       });
}

TEST(ParsersFuzzTest, PageTokensAndNames) {
  Fuzz({PageToken("ListJobs", "17")}, {"=", "-", "_", "A", "\n", "\xff"},
       [](const std::string& input) {
         return ParsePageTokenNumber("ListJobs", input).status();
       });
  Fuzz({"jobs/17"}, {"jobs/", "-", "0", "9223372036854775807", "\xff"},
       [](const std::string& input) { return ParseJobName(input).status(); });
}

}  // namespace
}  // namespace moeprobe

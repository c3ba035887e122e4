#include "tests/fuzz/parser_fuzz.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/printable.h"
#include "core/base/random_stream.h"
#include "tests/fuzz/fuzz_loop.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/novelty.h"

namespace moeprobe {
namespace {

// About a second; tens of seconds with sanitizers.
constexpr int64_t kInputs = 20'000;

constexpr size_t kLongestInput = size_t{1} << 16;

}  // namespace

void ExpectOneLine(const absl::Status& status) {
  const std::string message(status.message());
  ASSERT_EQ(message, PrintableLine(message));
}

void FuzzParser(const FuzzedLanguage& language,
                const std::function<absl::Status(const std::string&)>& read) {
  std::vector<std::string> seeds = language.seeds;
  for (const std::string& seed : seeds) {
    ASSERT_TRUE(read(seed).ok()) << read(seed);
  }
  FuzzLoop loop(kInputs);
  Mutator mutator(loop.seed(), language.words);
  RandomStream random(loop.seed(), /*index=*/1);
  Novelty novelty;
  int64_t refused = 0;
  while (loop.Next()) {
    const std::string input = mutator.Mutate(seeds[random.Below(seeds.size())]);
    loop.Keep(input);
    const absl::Status status = read(input);
    ExpectOneLine(status);
    if (status.ok()) continue;
    ++refused;
    if (novelty.IsNew(std::string(status.message())) &&
        input.size() < kLongestInput) {
      seeds.push_back(input);
    }
  }
  EXPECT_GT(refused, loop.count() / 10);
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

}  // namespace moeprobe

// Tokenizers and texts, as they are handed to the process that reads them.

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/pinned_file.h"
#include "server/worker/tokenizer.h"
#include "tests/fuzz/fuzz_loop.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/parser_fuzz.h"
#include "tests/testing/temporary_directory.h"
#include "tests/testing/tiny_checkpoint.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

// Each takes a process of its own, a third of a second.
constexpr int64_t kInputs = 12;

constexpr const char* kTokenizer = R"({
  "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
  "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"},
  "post_processor": null, "decoder": null,
  "model": {"type": "WordLevel", "unk_token": "?",
            "vocab": {"?": 0, "the": 1, "cat": 2, "sat": 3}}})";

std::vector<std::string> Words() {
  std::vector<std::string> words = JsonWords();
  words.insert(words.end(),
               {"WordLevel", "BPE", "Unigram", "merges", "vocab", "ByteLevel",
                "Replace", "(a+)+$", "max_length", "content", "id"});
  return words;
}

// Whatever is in the files: all of the ids, or a reason and no ids.
TEST(TokenizerFuzzTest, TokenisesOrRefuses) {
  const TemporaryDirectory folder;
  const fs::path tokenizer = folder.path() / "tokenizer.json";
  const fs::path text = folder.path() / "text.txt";
  const fs::path ids = folder.path() / "ids.npy";
  FuzzLoop loop(kInputs);
  Mutator mutator(loop.seed(), Words());
  while (loop.Next()) {
    const std::string json = mutator.Mutate(kTokenizer);
    loop.Keep(json);
    WriteBytes(tokenizer, json);
    WriteBytes(text, mutator.Mutate("The cat sat on the mat."));
    const auto read =
        TokenizeFile(DefaultTokenizerOptions(),
                     PinnedFile::Find(tokenizer, "/").value(), text, ids);
    EXPECT_EQ(fs::exists(ids), read.ok()) << read.status();
    if (!read.ok()) {
      EXPECT_EQ(read.status().code(), absl::StatusCode::kFailedPrecondition)
          << read.status();
      ExpectOneLine(read.status());
    }
    fs::remove(ids);
  }
}

}  // namespace
}  // namespace moeprobe

#include "server/worker/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/pinned_file.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kWords = R"json({
  "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
  "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
  "post_processor": null, "decoder": null,
  "model": {"type": "WordLevel", "unk_token": "?",
            "vocab": {"?": 0, "the": 1, "cat": 2, "sat": 3}}})json";

class TokenizerTest : public ::testing::Test {
 protected:
  TokenizerTest() { fs::create_directories(folder_); }
  ~TokenizerTest() override { fs::remove_all(folder_); }

  fs::path Write(const std::string& name, std::string_view content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }

  absl::StatusOr<std::vector<int32_t>> Tokenize(std::string_view tokenizer,
                                                std::string_view text) {
    return TokenizeFile(options_, Find(Write("tokenizer.json", tokenizer)),
                        Write("text.txt", text), output_);
  }

  static PinnedFile Find(const fs::path& path) {
    return PinnedFile::Find(path, "/").value();
  }

  TokenizerOptions options_ = DefaultTokenizerOptions();
  fs::path folder_ =
      fs::path(::testing::TempDir()) /
      ::testing::UnitTest::GetInstance()->current_test_info()->name();
  fs::path output_ = folder_ / "ids.npy";
};

TEST_F(TokenizerTest, ReturnsAndStoresTheIdsOfAText) {
  const auto ids = Tokenize(kWords, "the cat sat\non the mat");
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_THAT(*ids, ElementsAre(1, 2, 3, 0, 1, 0));
  EXPECT_TRUE(fs::exists(output_));
}

TEST_F(TokenizerTest, TakesAnEmptyText) {
  const auto ids = Tokenize(kWords, "");
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_TRUE(ids->empty());
}

TEST_F(TokenizerTest, IgnoresATruncationInTheFile) {
  std::string cut(kWords);
  cut.replace(cut.find("null"), 4,
              R"({"direction": "Right", "max_length": 1,
                  "strategy": "LongestFirst", "stride": 0})");
  const auto ids = Tokenize(cut, "the cat sat");
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_THAT(*ids, ElementsAre(1, 2, 3));
}

TEST_F(TokenizerTest, ReadsTheFileThatWasFoundWhateverItsPathLeadsToLater) {
  const fs::path link = folder_ / "tokenizer.json";
  fs::create_symlink(Write("found", kWords), link);
  const PinnedFile found = Find(link);
  fs::remove(link);
  fs::create_symlink(Write("later", "{}"), link);
  const auto ids =
      TokenizeFile(options_, found, Write("text.txt", "the cat"), output_);
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_THAT(*ids, ElementsAre(1, 2));
}

TEST_F(TokenizerTest, RefusesABadTokenizerInOneLineAndWritesNothing) {
  const auto ids = Tokenize("{\"version\":", "the cat");
  EXPECT_EQ(ids.status().code(), absl::StatusCode::kFailedPrecondition);
  const std::string message(ids.status().message());
  EXPECT_THAT(message, HasSubstr("tokenizer.json: not a tokenizer"));
  EXPECT_THAT(message, Not(HasSubstr("\n")));
  EXPECT_FALSE(fs::exists(output_));
}

TEST_F(TokenizerTest, RefusesTextThatIsNotUtf8AndSaysWhere) {
  const auto ids = Tokenize(kWords, "the \xff cat");
  EXPECT_EQ(ids.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(ids.status().message()),
              HasSubstr("text.txt: not UTF-8 at byte 4"));
}

TEST_F(TokenizerTest, NamesATextThatIsNotThere) {
  const auto ids = TokenizeFile(options_, Find(Write("tokenizer.json", kWords)),
                                folder_ / "absent.txt", output_);
  EXPECT_EQ(ids.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(ids.status().message()), HasSubstr("absent.txt"));
}

TEST_F(TokenizerTest, NamesAnInterpreterThatIsNotThere) {
  options_.python = "/nowhere/python";
  const auto ids = Tokenize(kWords, "the cat");
  EXPECT_EQ(ids.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(ids.status().message()),
              HasSubstr("/nowhere/python: No such file"));
}

TEST_F(TokenizerTest, StaysWithinItsMemory) {
  options_.memory_bytes = int64_t{64} << 20;
  const auto ids = Tokenize(kWords, std::string(int64_t{256} << 20, 'a'));
  EXPECT_EQ(ids.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(ids.status().message()), HasSubstr("memory"));
}

// A limit on the size of files stands for the size of the disk.
TEST_F(TokenizerTest, SaysThatAnotherTryMayHelpWhereTheDiskIsFull) {
  std::string text;
  for (int i = 0; i < 240; ++i) text += "cat ";
  const PinnedFile tokenizer = Find(Write("tokenizer.json", kWords));
  const fs::path file = Write("text.txt", text);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto ids = TokenizeFile(options_, tokenizer, file, output_);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(ids.status().code(), absl::StatusCode::kUnavailable)
      << ids.status();
  EXPECT_THAT(std::string(ids.status().message()), HasSubstr("too large"));
  EXPECT_FALSE(fs::exists(output_));
}

TEST_F(TokenizerTest, EndsAtItsTimeout) {
  options_.timeout = absl::Milliseconds(1);
  EXPECT_EQ(Tokenize(kWords, "the cat").status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST_F(TokenizerTest, EndsWhenCancelled) {
  const auto ids =
      TokenizeFile(options_, Find(Write("tokenizer.json", kWords)),
                   Write("text.txt", "the cat"), output_, [] { return true; });
  EXPECT_EQ(ids.status().code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(std::string(ids.status().message()),
              HasSubstr("tokenizer.json: cancelled"));
}

}  // namespace
}  // namespace moeprobe

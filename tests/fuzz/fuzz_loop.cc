#include "tests/fuzz/fuzz_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace moeprobe {
namespace {

// A number of the environment; nullopt if there is none.
std::optional<int64_t> NumberFrom(const char* name) {
  const char* text = std::getenv(name);
  int64_t number = 0;
  if (text == nullptr || !absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

std::string TestName() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  return absl::StrCat(test->test_suite_name(), ".", test->name());
}

}  // namespace

FuzzLoop::FuzzLoop(int64_t input_count)
    : seed_(NumberFrom("MOEPROBE_FUZZ_SEED").value_or(1)),
      input_count_(input_count),
      kept_path_(TestName() + ".input"),
      kept_(open(kept_path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) {
  if (const auto seconds = NumberFrom("MOEPROBE_FUZZ_SECONDS")) {
    end_ = Clock::now() + std::chrono::seconds(*seconds);
  }
}

FuzzLoop::~FuzzLoop() {
  std::cout << "seed " << seed_ << ", " << count_ << " inputs\n";
  std::error_code ignored;
  if (testing::Test::HasFailure()) {
    std::cout << "the last one is in " << absolute(kept_path_, ignored).native()
              << "\n";
  } else {
    std::filesystem::remove(kept_path_, ignored);
  }
}

bool FuzzLoop::Next() {
  if (testing::Test::HasFailure()) return false;
  if (end_ ? Clock::now() >= *end_ : count_ >= input_count_) return false;
  ++count_;
  return true;
}

void FuzzLoop::Keep(const std::string& input) {
  const bool kept =
      pwrite(kept_.number(), input.data(), input.size(), 0) ==
          static_cast<ssize_t>(input.size()) &&
      ftruncate(kept_.number(), static_cast<off_t>(input.size())) == 0;
  EXPECT_TRUE(kept) << kept_path_ << ": cannot be written";
}

}  // namespace moeprobe

#ifndef MOEPROBE_TESTS_FUZZ_FUZZ_LOOP_H_
#define MOEPROBE_TESTS_FUZZ_FUZZ_LOOP_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/base/file_descriptor.h"

namespace moeprobe {

// The inputs of one fuzz test, one after another: as many as the test says, or
// for as long as the environment says with MOEPROBE_FUZZ_SECONDS. What is
// random in them begins with MOEPROBE_FUZZ_SEED, or 1: the same seed gives the
// same inputs.
//
//   FuzzLoop loop(10'000);
//   Mutator mutator(loop.seed(), words);
//   while (loop.Next()) {
//     const std::string input = mutator.Mutate(seed);
//     loop.Keep(input);
//     EXPECT_...
//   }
class FuzzLoop {
 public:
  explicit FuzzLoop(int64_t input_count);

  // Says which seed it was and how many inputs.
  ~FuzzLoop();
  FuzzLoop(const FuzzLoop&) = delete;
  FuzzLoop& operator=(const FuzzLoop&) = delete;

  int64_t seed() const { return seed_; }

  // How many inputs there were, this one counted.
  int64_t count() const { return count_; }

  // Whether there is another input; not after one that failed the test.
  bool Next();

  // Writes what is to be tried to a file of the working directory, named after
  // the test, which stays if the test fails or the process dies of it.
  void Keep(const std::string& input);

 private:
  using Clock = std::chrono::steady_clock;

  const int64_t seed_;
  const int64_t input_count_;
  std::optional<Clock::time_point> end_;
  int64_t count_ = 0;
  std::filesystem::path kept_path_;
  FileDescriptor kept_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_FUZZ_FUZZ_LOOP_H_

#ifndef MOEPROBE_TESTS_FUZZ_MUTATOR_H_
#define MOEPROBE_TESTS_FUZZ_MUTATOR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/random_stream.h"

namespace moeprobe {

// Spoils inputs, the same way whenever it is made with the same seed.
class Mutator {
 public:
  // `words`: pieces of the language of the inputs, to be put in anywhere.
  Mutator(int64_t seed, std::vector<std::string> words);

  // Returns `input` after one to eight changes: a bit turned, a byte replaced,
  // bytes taken out or said again, a word put in.
  std::string Mutate(std::string input);

 private:
  void Change(std::string& input);
  size_t Below(size_t bound);

  RandomStream random_;
  std::vector<std::string> words_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_FUZZ_MUTATOR_H_

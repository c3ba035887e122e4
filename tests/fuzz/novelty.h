#ifndef MOEPROBE_TESTS_FUZZ_NOVELTY_H_
#define MOEPROBE_TESTS_FUZZ_NOVELTY_H_

#include <set>
#include <string>

namespace moeprobe {

// Tells answers that say something else than all before. What they quote and
// count is left out of the comparison: "field "a": 3 is negative" and
// "field "b": 17 is negative" say the same.
class Novelty {
 public:
  // Whether `answer` is the first of its kind; no more after some thousand.
  bool IsNew(const std::string& answer);

 private:
  std::set<std::string> seen_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_FUZZ_NOVELTY_H_

#ifndef MOEPROBE_TESTS_FUZZ_CALL_MUTATOR_H_
#define MOEPROBE_TESTS_FUZZ_CALL_MUTATOR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/random_stream.h"
#include "tests/fuzz/message_mutator.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/seed_calls.h"

namespace moeprobe {

// Spoils calls: fields of a message, bytes of one, and which messages there are
// of a stream, in which order.
class CallMutator {
 public:
  // `words` as for MessageMutator.
  CallMutator(int64_t seed, const std::vector<std::string>& words);

  // Returns the bytes of the messages of a call that was one of `seeds`.
  std::vector<std::string> Mutate(const std::vector<CallMessages>& seeds);

 private:
  void Rearrange(CallMessages& call);
  size_t Below(size_t bound) { return random_.Below(bound); }

  RandomStream random_;
  MessageMutator fields_;
  Mutator bytes_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_FUZZ_CALL_MUTATOR_H_

#ifndef MOEPROBE_CORE_TRAIN_TOKEN_SPLIT_H_
#define MOEPROBE_CORE_TRAIN_TOKEN_SPLIT_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

namespace moeprobe {

// A text, or numbers of examples, in two parts: the beginning to learn from,
// the end to be tested on.
struct TokenSplit {
  std::vector<int32_t> train;
  std::vector<int32_t> held_out;
};

// Splits `ids`: the last `held_out` (0 to below 1) of them, rounded down, are
// held out.
//
// Returns InvalidArgument if a part that is asked for has no window of
// `context` tokens and the one that follows.
absl::StatusOr<TokenSplit> SplitTokens(std::vector<int32_t> ids,
                                       double held_out, int64_t context);

// Splits the numbers of `count` examples, of which the last `held_out` (0 to
// below 1), rounded down, are held out.
TokenSplit SplitExamples(int64_t count, double held_out);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_TOKEN_SPLIT_H_

#ifndef MOEPROBE_CORE_TRAIN_TOKEN_BATCHES_H_
#define MOEPROBE_CORE_TRAIN_TOKEN_BATCHES_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace moeprobe {

// The batches of a run: windows of context + 1 tokens from anywhere in a text.
// Batch s depends on the seed and s, on nothing else.
class TokenBatches {
 public:
  // `ids` hold at least one window and must outlive the object.
  TokenBatches(std::span<const int32_t> ids, int64_t context, int64_t batch,
               int64_t seed);

  // Returns the windows of step `step`, [batch, context + 1] int64.
  at::Tensor Batch(int64_t step) const;

 private:
  std::span<const int32_t> ids_;
  int64_t length_;  // of a window
  int64_t batch_;
  int64_t seed_;
};

// Returns up to `count` windows of context + 1 tokens, [n, context + 1] int64,
// spread evenly over `ids`, which hold at least one; they do not overlap in
// what they predict.
at::Tensor SpreadWindows(std::span<const int32_t> ids, int64_t context,
                         int64_t count);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_TOKEN_BATCHES_H_

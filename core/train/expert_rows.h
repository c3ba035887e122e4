#ifndef MOEPROBE_CORE_TRAIN_EXPERT_ROWS_H_
#define MOEPROBE_CORE_TRAIN_EXPERT_ROWS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace moeprobe {

// Some tokens that go through the same experts: what products of matrices are
// made of. Small enough for what they produce to stay near the processor.
struct ExpertBlock {
  int64_t begin = 0, end = 0;  // rows by token: see ExpertRows
  int64_t first_expert = 0;
  int64_t expert_count = 0;  // each token of the block goes through so many
};

// Which of T tokens goes through which expert, as the rows of matrices.
//
// Either every token goes through all E experts (soft routing, and a dense MLP
// with E = 1): matrices "by token" have T rows, and those by token and expert
// T E, experts fastest. Or each goes to k of them: then both have T k rows,
// sorted by expert, those of an expert by token.
class ExpertRows {
 public:
  // All `token_count` tokens go through all `expert_count` experts.
  static ExpertRows All(int64_t token_count, int64_t expert_count);

  // Token t goes to the experts `chosen`[t] ([T, k] int64, on the CPU).
  static ExpertRows Chosen(const at::Tensor& chosen, int64_t expert_count);

  // Returns `x` [T, d] by token.
  at::Tensor Spread(const at::Tensor& x) const;

  // Returns the sum over each token's rows, [T, d], of `y` by token.
  at::Tensor Combine(const at::Tensor& y) const;

  // Returns the gates [T, k], or [T, E], as a vector by token and expert.
  at::Tensor GatesByRow(const at::Tensor& gates) const;

  // Returns blocks that cover every row once, those of an expert one after the
  // other; experts are `width` wide. Experts without tokens have none.
  std::vector<ExpertBlock> Blocks(int64_t width) const;

 private:
  bool has_all() const { return begins_.empty(); }

  int64_t token_count_ = 0;
  int64_t expert_count_ = 0;
  // Where tokens choose:
  std::vector<int64_t> begins_;  // [E + 1]: the rows of expert e begin there
  at::Tensor choices_;           // [T k] int64: t k + j of each row
  at::Tensor tokens_;            // [T k] int64: t of each row
  at::Tensor places_;            // [T k] int64: the row of each choice
  int64_t per_token_ = 0;        // k
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_EXPERT_ROWS_H_

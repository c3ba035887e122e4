#include "core/train/expert_rows.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace moeprobe {

namespace {

// Numbers that a block produces: 2 MiB of them.
constexpr int64_t kBlockNumbers = int64_t{1} << 19;

// Adds `whole` in pieces of that size.
void AddBlocks(const ExpertBlock& whole, int64_t width,
               std::vector<ExpertBlock>& blocks) {
  const int64_t each = whole.expert_count * width;
  const int64_t most = std::max<int64_t>(kBlockNumbers / each, 1);
  for (int64_t begin = whole.begin; begin < whole.end; begin += most) {
    ExpertBlock block = whole;
    block.begin = begin;
    block.end = std::min(begin + most, whole.end);
    blocks.push_back(block);
  }
}

}  // namespace

ExpertRows ExpertRows::All(int64_t token_count, int64_t expert_count) {
  ExpertRows rows;
  rows.token_count_ = token_count;
  rows.expert_count_ = expert_count;
  return rows;
}

// A counting sort.
ExpertRows ExpertRows::Chosen(const at::Tensor& chosen, int64_t expert_count) {
  const at::Tensor flat = chosen.contiguous();
  const auto* expert = flat.const_data_ptr<int64_t>();
  const int64_t count = flat.numel();
  ExpertRows rows;
  rows.token_count_ = chosen.size(0);
  rows.expert_count_ = expert_count;
  rows.per_token_ = chosen.size(1);
  rows.begins_.resize(static_cast<size_t>(expert_count) + 1);
  for (int64_t i = 0; i < count; ++i) ++rows.begins_[expert[i] + 1];
  std::partial_sum(rows.begins_.begin(), rows.begins_.end(),
                   rows.begins_.begin());

  rows.choices_ = at::empty({count}, at::kLong);
  rows.tokens_ = at::empty({count}, at::kLong);
  rows.places_ = at::empty({count}, at::kLong);
  auto* choices = rows.choices_.data_ptr<int64_t>();
  auto* tokens = rows.tokens_.data_ptr<int64_t>();
  auto* places = rows.places_.data_ptr<int64_t>();
  std::vector<int64_t> next = rows.begins_;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = next[expert[i]]++;
    choices[row] = i;
    tokens[row] = i / rows.per_token_;
    places[i] = row;
  }
  return rows;
}

at::Tensor ExpertRows::Spread(const at::Tensor& x) const {
  return has_all() ? x : x.index_select(0, tokens_);
}

at::Tensor ExpertRows::Combine(const at::Tensor& y) const {
  if (has_all()) return y;
  return y.index_select(0, places_).view({-1, per_token_, y.size(1)}).sum(1);
}

at::Tensor ExpertRows::GatesByRow(const at::Tensor& gates) const {
  const at::Tensor flat = gates.flatten();
  return has_all() ? flat : flat.index_select(0, choices_);
}

std::vector<ExpertBlock> ExpertRows::Blocks(int64_t width) const {
  std::vector<ExpertBlock> blocks;
  if (has_all()) {
    AddBlocks({.end = token_count_, .expert_count = expert_count_}, width,
              blocks);
    return blocks;
  }
  for (int64_t e = 0; e < expert_count_; ++e) {
    AddBlocks({.begin = begins_[e],
               .end = begins_[e + 1],
               .first_expert = e,
               .expert_count = 1},
              width, blocks);
  }
  return blocks;
}

}  // namespace moeprobe

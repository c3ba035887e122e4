#include "core/probe/token_sample.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/random_stream.h"

namespace moeprobe {
namespace {

uint64_t Hash(int64_t seed, int64_t token) {
  constexpr uint64_t kGoldenRatio = 0x9E3779B97F4A7C15U;
  return MixBits(MixBits(static_cast<uint64_t>(seed) + kGoldenRatio) +
                 static_cast<uint64_t>(token) * kGoldenRatio);
}

}  // namespace

at::Tensor SampleTokens(const at::Tensor& tokens, int64_t count, int64_t seed) {
  if (tokens.size(0) <= count) return tokens;
  const at::Tensor dense = tokens.contiguous();
  const auto* token = dense.const_data_ptr<int64_t>();
  std::vector<std::pair<uint64_t, int64_t>> order;
  order.reserve(static_cast<size_t>(dense.size(0)));
  for (int64_t i = 0; i < dense.size(0); ++i) {
    order.emplace_back(Hash(seed, token[i]), token[i]);
  }
  std::ranges::nth_element(order, order.begin() + count);
  std::vector<int64_t> chosen;
  chosen.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    chosen.push_back(order[static_cast<size_t>(i)].second);
  }
  std::ranges::sort(chosen);
  return at::tensor(chosen, at::kLong);
}

at::Tensor SpreadTokens(const at::Tensor& tokens, int64_t count) {
  const int64_t total = tokens.size(0);
  if (total <= count) return tokens;
  const at::Tensor index =
      at::arange(count, at::kLong).mul_(total).div(count, "floor");
  return tokens.index_select(0, index);
}

}  // namespace moeprobe

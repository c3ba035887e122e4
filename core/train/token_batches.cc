#include "core/train/token_batches.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/random_stream.h"
#include "core/train/training_stream.h"

namespace moeprobe {
namespace {

// Returns the windows that begin at `starts`.
at::Tensor WindowsAt(std::span<const int32_t> ids,
                     const std::vector<int64_t>& starts, int64_t length) {
  const at::Tensor windows =
      at::empty({static_cast<int64_t>(starts.size()), length}, at::kLong);
  auto* to = windows.data_ptr<int64_t>();
  for (const int64_t start : starts) {
    to = std::copy_n(ids.begin() + start, length, to);
  }
  return windows;
}

}  // namespace

TokenBatches::TokenBatches(std::span<const int32_t> ids, int64_t context,
                           int64_t batch, int64_t seed)
    : ids_(ids), length_(context + 1), batch_(batch), seed_(seed) {}

at::Tensor TokenBatches::Batch(int64_t step) const {
  const auto places =
      static_cast<uint64_t>(static_cast<int64_t>(ids_.size()) - length_ + 1);
  RandomStream random = TrainingStream(seed_, TrainingDraw::kBatch, step);
  std::vector<int64_t> starts(static_cast<size_t>(batch_));
  for (int64_t& start : starts) {
    start = static_cast<int64_t>(random.Below(places));
  }
  return WindowsAt(ids_, starts, length_);
}

at::Tensor SpreadWindows(std::span<const int32_t> ids, int64_t context,
                         int64_t count) {
  const int64_t whole = (static_cast<int64_t>(ids.size()) - 1) / context;
  const int64_t taken = std::min(count, whole);
  std::vector<int64_t> starts(static_cast<size_t>(taken));
  for (int64_t i = 0; i < taken; ++i) {
    starts[static_cast<size_t>(i)] = i * whole / taken * context;
  }
  return WindowsAt(ids, starts, context + 1);
}

}  // namespace moeprobe

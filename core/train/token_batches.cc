#include "core/train/token_batches.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/random_stream.h"
#include "core/base/status_macros.h"
#include "core/train/training_stream.h"

namespace moeprobe {
namespace {

absl::Status CheckWindow(std::string_view part, size_t tokens,
                         int64_t context) {
  if (std::cmp_greater(tokens, context)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the ", std::string(part), " part of the text has ", tokens,
                   " tokens, expected at least ", context + 1,
                   ": a context of ", context, " and the token that follows"));
}

// Returns the windows that begin at `starts`.
at::Tensor WindowsAt(const std::vector<int32_t>& ids,
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

absl::StatusOr<TokenSplit> SplitTokens(std::vector<int32_t> ids,
                                       double held_out, int64_t context) {
  if (std::isnan(held_out) || held_out < 0 || held_out >= 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the held-out share is ", held_out, ", expected 0 to below 1"));
  }
  const auto size = static_cast<double>(ids.size());
  const auto kept =
      static_cast<int64_t>(ids.size()) - static_cast<int64_t>(held_out * size);
  TokenSplit split;
  split.held_out.assign(ids.begin() + kept, ids.end());
  ids.resize(static_cast<size_t>(kept));
  split.train = std::move(ids);
  MOEPROBE_RETURN_IF_ERROR(
      CheckWindow("training", split.train.size(), context));
  if (held_out > 0) {
    MOEPROBE_RETURN_IF_ERROR(
        CheckWindow("held-out", split.held_out.size(), context));
  }
  return split;
}

TokenBatches::TokenBatches(std::vector<int32_t> ids, int64_t context,
                           int64_t batch, int64_t seed)
    : ids_(std::move(ids)), length_(context + 1), batch_(batch), seed_(seed) {}

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

at::Tensor SpreadWindows(const std::vector<int32_t>& ids, int64_t context,
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

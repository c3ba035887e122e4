#include "core/train/token_split.h"

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
#include "core/base/status_macros.h"
#include "core/plan/held_out.h"

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

}  // namespace

absl::StatusOr<TokenSplit> SplitTokens(std::vector<int32_t> ids,
                                       double held_out, int64_t context) {
  if (std::isnan(held_out) || held_out < 0 || held_out >= 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the held-out share is ", held_out, ", expected 0 to below 1"));
  }
  const auto size = static_cast<int64_t>(ids.size());
  const int64_t kept = size - HeldOutCount(size, held_out);
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

TokenSplit SplitExamples(int64_t count, double held_out) {
  const int64_t learned = count - HeldOutCount(count, held_out);
  TokenSplit split;
  for (int64_t number = 0; number < count; ++number) {
    (number < learned ? split.train : split.held_out)
        .push_back(static_cast<int32_t>(number));
  }
  return split;
}

}  // namespace moeprobe

#include "core/train/next_token_task.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/plan/decoder_shape.h"
#include "core/train/decoder.h"
#include "core/train/learning_task.h"
#include "core/train/parameters.h"
#include "core/train/token_batches.h"
#include "core/train/token_split.h"
#include "core/train/training_options.h"

namespace moeprobe {
namespace {

// Windows of held-out text that are run at once.
constexpr int64_t kWindowsAtOnce = 32;

// One part of the text, as what it is called.
absl::Status CheckPart(std::string_view name, const std::vector<int32_t>& ids,
                       const DecoderShape& shape) {
  if (std::cmp_less_equal(ids.size(), shape.context)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the ", std::string(name), " text has ", ids.size(),
        " tokens, expected more than the context, which is ", shape.context));
  }
  const auto [low, high] = std::ranges::minmax_element(ids);
  if (*low >= 0 && *high < shape.vocabulary) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a token id of the ", std::string(name), " text is ",
                   *low < 0 ? *low : *high,
                   ", expected 0 to below the vocabulary size, which is ",
                   shape.vocabulary));
}

absl::Status CheckText(const TokenSplit& text, const DecoderShape& shape) {
  MOEPROBE_RETURN_IF_ERROR(CheckPart("training", text.train, shape));
  return text.held_out.empty() ? absl::OkStatus()
                               : CheckPart("held-out", text.held_out, shape);
}

// Windows as what goes in and what should come out.
at::Tensor InputsOf(const at::Tensor& windows) {
  return windows.slice(1, 0, -1);
}
at::Tensor TargetsOf(const at::Tensor& windows) {
  return windows.slice(1, 1).flatten();
}

}  // namespace

absl::StatusOr<std::unique_ptr<LearningTask>> NextTokenTask::Create(
    const TrainingOptions& options, const TokenSplit& text) {
  MOEPROBE_RETURN_IF_ERROR(CheckText(text, options.shape));
  return absl::WrapUnique(new NextTokenTask(options, text));
}

NextTokenTask::NextTokenTask(const TrainingOptions& options,
                             const TokenSplit& text)
    : context_(options.shape.context),
      decoder_(options.shape, options.routing),
      batches_(text.train, context_, options.batch, options.seed),
      held_out_(text.held_out) {}

TaskLoss NextTokenTask::Loss(const ModelParameters& model,
                             const at::Tensor& batch) const {
  DecoderOutput output = decoder_.Forward(model, InputsOf(batch));
  return {.loss = at::cross_entropy_loss(output.logits, TargetsOf(batch)),
          .routing = std::move(output.routing)};
}

double NextTokenTask::HeldOutLoss(const ModelParameters& model,
                                  int64_t windows) const {
  if (held_out_.empty()) return std::numeric_limits<double>::quiet_NaN();
  const at::NoGradGuard no_gradients;
  const at::Tensor all = SpreadWindows(held_out_, context_, windows);
  double sum = 0;
  for (const at::Tensor& some : all.split(kWindowsAtOnce)) {
    sum += Loss(model, some).loss.item<double>() *
           static_cast<double>(some.size(0));
  }
  return sum / static_cast<double>(all.size(0));
}

}  // namespace moeprobe

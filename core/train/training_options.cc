#include "core/train/training_options.h"

#include <cmath>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/model/routing_rule.h"
#include "core/plan/decoder_shape.h"
#include "core/train/example_options.h"
#include "core/train/learning_rate.h"

namespace moeprobe {
namespace {

absl::Status OutOfRange(std::string_view name, double value,
                        std::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat(
      std::string(name), " is ", value, ", expected ", std::string(expected)));
}

absl::Status CheckRouting(const TrainingOptions& options) {
  const RoutingRule& rule = options.routing;
  if (options.shape.experts == 0) return absl::OkStatus();
  if (rule.per_token < 1 || rule.per_token > options.shape.experts) {
    return OutOfRange("experts per token", static_cast<double>(rule.per_token),
                      absl::StrCat("1 to the number of experts, which is ",
                                   options.shape.experts));
  }
  if (rule.temperature > 0 && std::isfinite(rule.temperature)) {
    return absl::OkStatus();
  }
  return OutOfRange("temperature", rule.temperature, "a number above 0");
}

absl::Status CheckExamples(const ExampleOptions& options) {
  if (options.clusters < 1) {
    return OutOfRange("clusters", static_cast<double>(options.clusters),
                      "at least 1");
  }
  if (options.teacher_width < 1) {
    return OutOfRange("teacher_width",
                      static_cast<double>(options.teacher_width), "at least 1");
  }
  if (!std::isfinite(options.separation) || options.separation < 0) {
    return OutOfRange("separation", options.separation,
                      "a number of at least 0");
  }
  if (!std::isfinite(options.noise) || options.noise < 0) {
    return OutOfRange("noise", options.noise, "a number of at least 0");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckOptions(const TrainingOptions& options) {
  MOEPROBE_RETURN_IF_ERROR(CheckShape(options.shape));
  MOEPROBE_RETURN_IF_ERROR(CheckRouting(options));
  if (options.shape.is_mlp()) {
    MOEPROBE_RETURN_IF_ERROR(CheckExamples(options.examples));
  }
  const LearningRate& rate = options.learning_rate;
  if (!std::isfinite(rate.peak) || rate.peak <= 0) {
    return OutOfRange("learning_rate", rate.peak, "a number above 0");
  }
  if (rate.warmup_steps < 0) {
    return OutOfRange("warmup", static_cast<double>(rate.warmup_steps),
                      "at least 0");
  }
  if (!std::isfinite(options.clip) || options.clip < 0) {
    return OutOfRange("clip", options.clip, "a number of at least 0");
  }
  if (!std::isfinite(options.balance_loss) || options.balance_loss < 0) {
    return OutOfRange("balance_loss", options.balance_loss,
                      "a number of at least 0");
  }
  if (options.batch < 1) {
    return OutOfRange("batch", static_cast<double>(options.batch),
                      "at least 1");
  }
  if (options.steps < 1) {
    return OutOfRange("steps", static_cast<double>(options.steps),
                      "at least 1");
  }
  return absl::OkStatus();
}

}  // namespace moeprobe

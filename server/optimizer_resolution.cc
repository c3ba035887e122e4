#include "server/optimizer_resolution.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "moeprobe/v1/training.pb.h"
#include "server/choice.h"
#include "server/number_range.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

void CheckRates(const v1::Optimizer& optimizer, Violations& violations) {
  const double rate = optimizer.learning_rate();
  if (!(rate > 0) || !std::isfinite(rate)) {
    violations.Add("optimizer.learning_rate",
                   absl::StrCat(rate, ", expected a number above 0"));
  }
  for (const auto& [name, value] :
       {std::pair("clip", optimizer.clip()),
        {"balance_loss", optimizer.balance_loss()}}) {
    if (value >= 0 && std::isfinite(value)) continue;
    violations.Add(absl::StrCat("optimizer.", name),
                   absl::StrCat(value, ", expected a number of at least 0"));
  }
}

}  // namespace

v1::Optimizer ResolveOptimizer(const v1::Optimizer& asked,
                               v1::TrainingTask task, Violations& violations) {
  v1::Optimizer optimizer = asked;
  if (asked.name() == v1::OPTIMIZER_NAME_UNSPECIFIED) {
    optimizer.set_name(v1::OPTIMIZER_NAME_ADAM);
  }
  if (!asked.has_learning_rate()) optimizer.set_learning_rate(3e-4);
  if (asked.decay() == v1::RATE_DECAY_UNSPECIFIED) {
    optimizer.set_decay(v1::RATE_DECAY_CONSTANT);
  }
  optimizer.set_warmup(asked.warmup());
  if (!asked.has_batch()) {
    optimizer.set_batch(task == v1::TRAINING_TASK_MLP ? 256 : 32);
  }
  if (!asked.has_steps()) optimizer.set_steps(2000);
  optimizer.set_clip(asked.clip());
  optimizer.set_balance_loss(asked.balance_loss());
  CheckChoice(optimizer.name(), "optimizer.name", violations);
  CheckChoice(optimizer.decay(), "optimizer.decay", violations);
  CheckRanges("optimizer",
              {{.field = "steps",
                .value = optimizer.steps(),
                .least = 1,
                .most = kMostSteps},
               {.field = "batch",
                .value = optimizer.batch(),
                .least = 1,
                .most = 65536},
               {.field = "warmup",
                .value = optimizer.warmup(),
                .least = 0,
                .most = kMostSteps}},
              violations);
  CheckRates(optimizer, violations);
  return optimizer;
}

}  // namespace moeprobe

#include "server/training_probe_resolution.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/training.pb.h"
#include "server/choice.h"
#include "server/null_resolution.h"
#include "server/number_range.h"
#include "server/optimizer_resolution.h"
#include "server/probe_resolution.h"
#include "server/variant_resolution.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

constexpr int64_t kDefaultTokens = 16384;
constexpr int32_t kDefaultRandomWeights = 9;

// Adds what is wrong with a message inside the probe.
void AddInProbe(const Violations& found, Violations& violations) {
  for (const Violation& violation : found.list()) {
    violations.Add("probe." + violation.field, violation.description,
                   violation.code);
  }
}

void ResolveWhatIsProbed(const v1::TrainingProbe& asked, int64_t width,
                         v1::TrainingProbe& probe, Violations& violations) {
  Violations found;
  v1::AnalyzeSpec analysis;
  if (asked.has_probes()) *analysis.mutable_probes() = asked.probes();
  *probe.mutable_probes() = ResolveProbes(analysis, width, found);
  v1::NullSpec nulls = asked.nulls();
  if (!nulls.has_random_weights()) {
    nulls.set_random_weights(kDefaultRandomWeights);
  }
  *probe.mutable_nulls() = ResolveNulls(nulls, found);
  AddInProbe(found, violations);
}

}  // namespace

v1::TrainingProbe ResolveTrainingProbe(const v1::TrainingProbe& asked,
                                       const v1::TrainSpec& spec,
                                       Violations& violations) {
  v1::TrainingProbe probe = asked;
  probe.set_every(asked.every());
  if (asked.evaluate_on() == v1::EVALUATION_TEXT_UNSPECIFIED) {
    probe.set_evaluate_on(v1::EVALUATION_TEXT_HELD_OUT);
  }
  if (!asked.has_tokens()) probe.set_tokens(kDefaultTokens);
  probe.set_seed(asked.seed());
  CheckRanges("probe",
              {{.field = "every",
                .value = probe.every(),
                .least = 0,
                .most = kMostSteps},
               {.field = "seed",
                .value = probe.seed(),
                .least = 0,
                .most = int64_t{1} << 62}},
              violations);
  CheckChoice(probe.evaluate_on(), "probe.evaluate_on", violations);
  const int64_t window = WindowOf(spec);
  if (probe.tokens() != -1 && probe.tokens() < window) {
    violations.Add(
        "probe.tokens",
        absl::StrCat(probe.tokens(), TrainsMlp(spec) ? " examples" : " tokens",
                     " do not fill one window of ", window));
  }
  if (probe.evaluate_on() == v1::EVALUATION_TEXT_HELD_OUT &&
      spec.data().held_out() == 0) {
    violations.Add("probe.evaluate_on",
                   "held_out, but data.held_out is 0: expected train, or a "
                   "share above 0");
  }
  ResolveWhatIsProbed(asked, spec.model().width(), probe, violations);
  if (TrainsMlp(spec) && probe.probes().has_interventions()) {
    violations.Add("probe.probes.interventions",
                   "has no meaning for task mlp: there is no next token whose "
                   "loss could grow");
  }
  return probe;
}

}  // namespace moeprobe

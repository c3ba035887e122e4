#include "server/part_cost.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "core/base/bounded_directory.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/plan/analysis_cost.h"
#include "core/plan/hidden_state_key.h"
#include "core/plan/itinerary.h"
#include "core/plan/machine_rates.h"
#include "core/plan/probe_counts.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/job_plan.h"
#include "server/null_groups.h"
#include "server/probe_groups.h"
#include "server/task_builder.h"

namespace moeprobe {
namespace {

// Of a text that was never tokenised, where the request takes all of it.
constexpr int64_t kGuessedTokens = 16384;

// Its process has to start, and reads the text.
constexpr double kTokenizingSeconds = 1;

MachineRates FromProto(const v1::MachineRates& rates) {
  return {.float32 = rates.float32_rate(),
          .bfloat16 = rates.bfloat16_rate(),
          .float64 = rates.float64_rate(),
          .eigen = rates.eigen_rate(),
          .memory = rates.memory_rate(),
          .digest = rates.digest_rate(),
          .resting_bytes = rates.resting_bytes(),
          .threads = rates.threads(),
          .libtorch_version = rates.libtorch_version()};
}

int64_t TokensOf(const PlannedPart& part) {
  if (part.tokens) return part.tokens->token_count;
  const int64_t length = part.data.sequence_length();
  const int64_t tokens =
      part.data.tokens() > 0 ? part.data.tokens() : kGuessedTokens;
  return std::max(length, tokens - tokens % length);
}

// -1 stands for all; there are no more than these.
int64_t CountOf(int64_t asked, int64_t all) {
  return asked < 0 ? all : std::min(asked, all);
}

void AddNulls(const v1::NullSpec& nulls, ProbeCounts& counts) {
  counts.routings = nulls.random_router() + nulls.permutations();
  counts.bootstrap = nulls.bootstrap();
  counts.random_weights = nulls.random_weights();
}

void AddInterventions(const v1::InterventionProbe& probe, int64_t tokens,
                      ProbeCounts& counts) {
  counts.variants = probe.pairs() * probe.kinds_size() + 1;
  counts.variant_tokens = CountOf(probe.tokens(), tokens);
}

ProbeCounts CountsOf(const v1::ProbeSpec& probes, const v1::NullSpec& nulls,
                     const Checkpoint& checkpoint, int64_t tokens) {
  const ExpertConfig& experts = checkpoint.config().experts;
  ProbeCounts counts;
  counts.weightings = probes.jacobian().average_size();
  counts.all_tokens =
      std::ranges::count(probes.jacobian().average(), v1::WEIGHTING_ALL) > 0;
  counts.aligned_tokens = CountOf(probes.jacobian().tokens(), tokens);
  counts.conventions = probes.pca().conventions_size();
  counts.reference = probes.has_pca();
  if (probes.has_spectra()) {
    counts.spectra_tokens =
        CountOf(probes.spectra().tokens_per_expert(),
                tokens * std::max<int64_t>(1, experts.per_token) /
                    std::max<int64_t>(1, experts.count));
  }
  if (probes.has_router_term()) {
    counts.router_term_tokens = CountOf(probes.router_term().tokens(), tokens);
  }
  if (probes.has_redundancy()) {
    counts.compared_tokens = CountOf(probes.redundancy().tokens(), tokens);
    counts.compared_rank =
        probes.redundancy().weights() ? probes.redundancy().rank() : 0;
  }
  if (probes.has_interventions()) {
    AddInterventions(probes.interventions(), tokens, counts);
  }
  AddNulls(nulls, counts);
  return counts;
}

std::optional<ForwardRouting> RoutingOf(const PlannedPart& part) {
  if (!part.routing || !part.routing->in_forward_pass()) return std::nullopt;
  return ForwardRouting{.per_token = part.routing->expert_count(),
                        .renormalize = part.routing->renormalize(),
                        .temperature = part.routing->temperature()};
}

std::set<int64_t> StoredLayers(const PlannedPart& part,
                               const BoundedDirectory& hidden_states,
                               const v1::MachineRates& rates) {
  // The ids' fingerprint is known with the positions that are left out, which
  // hidden states do not depend on.
  if (!part.tokens || part.data.skip_first() != 0) return {};
  return LayersStored(
      hidden_states,
      HiddenStateKey(
          {.stamp = part.stamp,
           .config_sha256 = part.model.checkpoint->config_sha256(),
           .data_fingerprint = part.tokens->fingerprint,
           .bfloat16 = part.spec.precision() == v1::PRECISION_BFLOAT16,
           .threads = rates.threads(),
           .libtorch_version = rates.libtorch_version(),
           .routing = RoutingOf(part)}));
}

}  // namespace

AnalysisCost CostOfPart(const PlannedPart& part, const MissingOfPart& missing,
                        const BoundedDirectory& hidden_states,
                        const v1::MachineRates& rates) {
  const Checkpoint& checkpoint = *part.model.checkpoint;
  const int64_t tokens = TokensOf(part);
  std::vector<int64_t> targets(missing.layers.begin(), missing.layers.end());
  if (missing.nll ||
      ProbesFor(missing.groups, part.spec.probes()).has_interventions()) {
    targets.push_back(static_cast<int64_t>(checkpoint.config().layers.size()));
  }
  AnalysisCost cost =
      CostOf({.counts = {.tokens = tokens,
                         .sequence_length = part.data.sequence_length()},
              .bfloat16 = part.spec.precision() == v1::PRECISION_BFLOAT16,
              .probes = CountsOf(ProbesFor(missing.groups, part.spec.probes()),
                                 NullsFor(missing.groups, part.spec.nulls()),
                                 checkpoint, tokens),
              .visits = PlanItinerary(
                  targets, StoredLayers(part, hidden_states, rates))},
             checkpoint, FromProto(rates));
  if (!part.tokens) cost.seconds += kTokenizingSeconds;
  return cost;
}

}  // namespace moeprobe

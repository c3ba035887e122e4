#include "server/estimator.h"

#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/bounded_directory.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "core/plan/analysis_cost.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job_service.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/job_plan.h"
#include "server/part_cost.h"
#include "server/run_cost.h"
#include "server/task_builder.h"
#include "storage/job.h"

namespace moeprobe {
namespace {

// Jobs that err alike: of one model, in one precision; all that train.
std::string KindOf(const JobPlan& plan) {
  if (!plan.runs.empty()) return "training";
  const PlannedPart& part = plan.parts.front();
  return absl::StrCat(part.model.checkpoint->config_sha256(), " ",
                      static_cast<int>(part.spec.precision()));
}

AnalysisCost CostOf(const JobPlan& plan,
                    const std::map<int, MissingOfPart>& missing,
                    const BoundedDirectory& hidden_states,
                    const v1::MachineRates& rates) {
  if (!plan.runs.empty()) return CostOfRuns(plan, missing, rates);
  AnalysisCost cost;
  for (const auto& [part, of_part] : missing) {
    cost += CostOfPart(plan.parts[static_cast<size_t>(part)], of_part,
                       hidden_states, rates);
  }
  return cost;
}

}  // namespace

void Estimator::SetRates(const v1::MachineRates& rates) {
  const MutexLock lock(mutex_);
  rates_ = rates;
}

std::optional<v1::MachineRates> Estimator::rates() const {
  const MutexLock lock(mutex_);
  return rates_;
}

absl::StatusOr<std::optional<v1::Estimate>> Estimator::Estimate(
    const JobPlan& plan, v1::Device device) {
  const std::optional<v1::MachineRates> rates = this->rates();
  if (!rates) return std::nullopt;
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<NeededGroup> missing,
                            queue_->NotCached(plan.groups));
  MOEPROBE_ASSIGN_OR_RETURN(const double ratio, store_->Ratio(KindOf(plan)));
  const AnalysisCost cost =
      CostOf(plan, MissingByPart(WithoutRepeats(missing, plan, device)),
             hidden_states_, *rates);
  v1::Estimate estimate;
  estimate.set_seconds(cost.seconds * ratio);
  estimate.set_peak_memory_bytes(cost.peak_memory_bytes);
  estimate.set_disk_read_bytes(cost.disk_read_bytes);
  estimate.set_disk_write_bytes(cost.disk_write_bytes);
  estimate.set_group_count(static_cast<int>(plan.groups.size()));
  estimate.set_cached_group_count(
      static_cast<int>(plan.groups.size() - missing.size()));
  return estimate;
}

absl::StatusOr<JobNeeds> Estimator::Needs(const JobPlan& plan,
                                          v1::Device device) {
  MOEPROBE_ASSIGN_OR_RETURN(const auto estimate, Estimate(plan, device));
  if (!estimate) return JobNeeds{};
  return JobNeeds{.seconds = estimate->seconds(),
                  .memory_bytes = estimate->peak_memory_bytes()};
}

absl::Status Estimator::Learn(const JobPlan& plan, double estimated_seconds,
                              double measured_seconds) {
  const double error = measured_seconds / estimated_seconds;
  if (!std::isfinite(error) || error <= 0) return absl::OkStatus();
  const std::string kind = KindOf(plan);
  MOEPROBE_ASSIGN_OR_RETURN(const double ratio, store_->Ratio(kind));
  return store_->Learn(kind, ratio * error);
}

}  // namespace moeprobe

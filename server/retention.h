#ifndef MOEPROBE_SERVER_RETENTION_H_
#define MOEPROBE_SERVER_RETENTION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/access/audit_log.h"
#include "server/clock_watch.h"
#include "server/job_plan.h"
#include "server/job_record.h"
#include "server/model_registry.h"
#include "server/retention_rules.h"
#include "server/running_tasks.h"
#include "server/scheduler.h"
#include "server/trained_runs.h"
#include "storage/blob_store.h"
#include "storage/job.h"
#include "storage/retention_store.h"

namespace moeprobe {

// Drops results by the rules, and removes what belongs to no job any more:
// entries of the cache, as far as rules ask for that, models of deleted jobs,
// and blobs that no row could be stored for. Step by step, each of them a short
// transaction, so that others wait for none; what a server that died has begun,
// the next one ends. For one thread.
class Retention {
 public:
  // Steps of one call of Work() at most.
  static constexpr int kMaxSteps = 64;
  // For so long after the machine's time was set nothing is dropped by its age.
  static constexpr absl::Duration kDistrust = absl::Hours(1);

  // All must outlive the object.
  struct Parts {
    RetentionStore* store;
    const BlobStore* blobs;
    TrainedRuns runs;
    ModelRegistry* models;
    JobPlanner* planner;
    Scheduler* scheduler;
    RunningTasks* running;
    JobRecord* record;
    AuditLog* audit;
    RetentionRules rules;
    std::function<absl::Time()> clock = absl::Now;
    ClockWatch clock_watch = ClockWatch();
  };
  explicit Retention(Parts parts) : parts_(std::move(parts)) {}

  // Does some of what is to be done. What fails is left to the next call.
  absl::Status Work();

 private:
  absl::Status TidyUp();
  absl::StatusOr<JobPlan> PlanOf(const JobRow& job);
  absl::Status AdoptRuns();
  absl::Status RemoveUnknownRuns();
  absl::Status RemoveUnknownBlobs();
  absl::Status MeasureRuns();
  absl::StatusOr<bool> Step();
  absl::StatusOr<bool> DropByAge();
  absl::StatusOr<bool> MakeRoom();
  void NoteDrop(int64_t job, const std::string& reason);
  absl::StatusOr<bool> RemoveEntries(absl::Time made, int64_t bytes);
  absl::Status DiscardBlobs();
  absl::Status RemoveRuns();

  Parts parts_;
  bool is_tidy_ = false;
  bool knows_all_runs_ = true;
  // Whose models may have grown since they were measured, and what they took.
  std::map<std::string, int64_t> growing_runs_;
  // That nothing stands for any more, unless something does again.
  std::vector<std::string> blobs_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_RETENTION_H_

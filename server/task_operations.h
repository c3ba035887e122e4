#ifndef MOEPROBE_SERVER_TASK_OPERATIONS_H_
#define MOEPROBE_SERVER_TASK_OPERATIONS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/estimator.h"
#include "server/job_ends.h"
#include "server/job_plan.h"
#include "server/job_rests.h"
#include "server/running_tasks.h"
#include "server/scheduler.h"
#include "server/worker_pulse.h"
#include "storage/attempt_store.h"
#include "storage/blob_store.h"
#include "storage/fingerprint_store.h"
#include "storage/job.h"
#include "storage/published_layer.h"

namespace moeprobe {

// What workers do with the tasks they hold; see WorkerService. Every call about
// a task that an attempt holds renews its lease as long as it takes, whatever
// it ends with. Thread-safe.
class TaskOperations {
 public:
  // All must outlive the object.
  struct Parts {
    RunningTasks* running;
    AttemptStore* attempts;
    Scheduler* scheduler;
    Estimator* estimator;
    JobPlanner* planner;
    FingerprintStore* fingerprints;
    const BlobStore* blobs;
    JobRests* rests;
    WorkerPulse* pulse;
    JobEnds* ends;
  };
  explicit TaskOperations(const Parts& parts) : parts_(parts) {}

  // Notes how far an attempt is and says whether it should go on.
  absl::StatusOr<v1::ReportTaskResponse> Report(
      const v1::ReportTaskRequest& request);

  // Asks all workers to give their tasks back as soon as what they reached is
  // kept.
  void AskBack() { asks_back_ = true; }

  absl::Status StoreTokens(const v1::StoreTokensRequest& request);

  // Stores the arrays of a layer, which come with their names and bytes
  // checked.
  absl::Status Publish(const v1::FinishedLayer& layer,
                       std::vector<NewArray> arrays);

  absl::Status Finish(const v1::FinishTaskRequest& request);

  // Fails the job of a task, whatever its worker does.
  absl::Status Fail(const RunningTask& task, const JobFailure& failure);

 private:
  // A call about a task.
  struct Heard {
    std::shared_ptr<const RunningTask> task;
    WorkerPulse::Call call;  // its worker is heard as long as this lives
  };

  absl::StatusOr<Heard> Hear(const std::string& job_name, int attempt);
  // Stores the end of an attempt, and acts on it.
  absl::StatusOr<JobState> End(const AttemptId& attempt, const AttemptEnd& end);
  void Learn(const RunningTask& task);
  void LetRest(const AttemptId& attempt, AttemptEnd& end);

  Parts parts_;
  std::atomic<bool> asks_back_ = false;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TASK_OPERATIONS_H_

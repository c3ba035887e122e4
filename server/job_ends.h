#ifndef MOEPROBE_SERVER_JOB_ENDS_H_
#define MOEPROBE_SERVER_JOB_ENDS_H_

#include <cstdint>
#include <optional>

#include "server/job_record.h"
#include "server/job_rests.h"
#include "server/running_tasks.h"
#include "server/scratch.h"
#include "storage/job.h"

namespace moeprobe {

// Acts on ends of jobs and of attempts at them: the operator is told, and what
// the server kept for them goes. Called once the end is on disk. Thread-safe.
class JobEnds {
 public:
  // All must outlive the object.
  struct Parts {
    RunningTasks* running;
    const Scratch* scratch;
    JobRests* rests;
    JobRecord* record;
  };
  explicit JobEnds(const Parts& parts) : parts_(parts) {}

  // An attempt is over, and its job in `state`; `failure` says why it failed.
  // If the job is queued another attempt may have begun by now: it goes on.
  void AttemptEnded(const AttemptId& attempt, JobState state,
                    const std::optional<JobFailure>& failure);

  // A job that no attempt holds is final.
  void JobEnded(int64_t job, JobState state,
                const std::optional<JobFailure>& failure = std::nullopt);

 private:
  Parts parts_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_JOB_ENDS_H_

#include "server/job_ends.h"

#include <cstdint>
#include <optional>

#include "core/base/crash_point.h"
#include "storage/job.h"

namespace moeprobe {

void JobEnds::AttemptEnded(const AttemptId& attempt, JobState state,
                           const std::optional<JobFailure>& failure) {
  const auto task = parts_.running->Remove(attempt);
  if (task) parts_.record->AttemptEnded(attempt.job, state, task->Age());
  if (IsFinal(state)) JobEnded(attempt.job, state, failure);
}

void JobEnds::JobEnded(int64_t job, JobState state,
                       const std::optional<JobFailure>& failure) {
  parts_.record->Ended(job, state, failure);
  CrashPoint("job-ended-scratch-there");
  parts_.scratch->Remove(job);
  parts_.rests->Forget(job);
}

}  // namespace moeprobe

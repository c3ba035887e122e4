#include "server/job_record.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "server/log.h"
#include "storage/job.h"

namespace moeprobe {
namespace {

std::string Lower(JobState state) {
  return absl::AsciiStrToLower(NameOf(state));
}

}  // namespace

void JobRecord::Submitted(int64_t job) {
  metrics_->Submitted();
  LogInfo("submitted", {JobField(job)});
}

void JobRecord::Started(const AttemptId& attempt, int64_t worker,
                        std::optional<absl::Duration> waited) {
  if (waited) metrics_->Waited(*waited);
  LogInfo("started", {JobField(attempt.job),
                      {"attempt", absl::StrCat(attempt.attempt)},
                      WorkerField(worker)});
}

void JobRecord::AttemptEnded(int64_t job, JobState state, absl::Duration held) {
  metrics_->AttemptEnded(state, held);
  if (IsFinal(state)) return;
  LogInfo("back in the queue",
          {JobField(job),
           {"seconds", absl::StrFormat("%.1f", absl::ToDoubleSeconds(held))}});
}

void JobRecord::Ended(int64_t job, JobState state,
                      const std::optional<JobFailure>& failure) {
  metrics_->Ended(state);
  LogFields fields = {JobField(job)};
  if (failure) fields.emplace_back("reason", failure->message);
  if (state == JobState::kFailed) {
    LogWarning(Lower(state), fields);
  } else {
    LogInfo(Lower(state), fields);
  }
}

void JobRecord::ResultsDropped(int64_t job, const std::string& reason) {
  metrics_->ResultsDropped();
  LogInfo("results dropped", {JobField(job), {"reason", reason}});
}

}  // namespace moeprobe

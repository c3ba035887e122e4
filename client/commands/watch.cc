#include "client/commands/watch.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/commands/job_text.h"
#include "client/commands/progress_view.h"
#include "client/commands/screen.h"
#include "client/commands/session.h"
#include "client/result/result_json.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/job.pb.h"

namespace moeprobe {
namespace {

// Where a job that waits stands, if others go before it, and whether it waits
// for memory.
void TellPlace(Session& session, const std::string& job_name,
               ProgressView& view) {
  const auto job = session.client.GetJob(job_name);
  if (!job.ok() || job->state() != v1::Job::STATE_QUEUED) return;
  if (job->queue_position() > 0) view.Tell(StateText(*job));
  if (job->has_memory_wait()) {
    view.Tell(absl::StrCat("waits for ", MemoryWaitText(*job)));
  }
}

}  // namespace

absl::Status Follow(Session& session, Screen& screen,
                    const std::string& job_name) {
  const std::string id = JobId(job_name);
  ProgressView view(screen, absl::StrCat("job ", id));
  const absl::Status status =
      session.client.WatchJob(job_name, [&](const v1::JobEvent& event) {
        view.Observe(event);
        if (event.state() == v1::Job::STATE_QUEUED) {
          TellPlace(session, job_name, view);
        }
      });
  if (session.cancellation.cancelled()) {
    return absl::CancelledError(absl::StrCat(
        "interrupted; job ", id,
        " goes on. Take it up again: ", session.program, " watch ", id));
  }
  MOEPROBE_RETURN_IF_ERROR(status);
  if (view.state() == v1::Job::STATE_SUCCEEDED) return absl::OkStatus();
  const std::string& reason = view.error().message();
  return absl::AbortedError(absl::StrCat("job ", id, " ",
                                         StateName(view.state()),
                                         reason.empty() ? "" : ": ", reason));
}

absl::Status Watch(Session& session, const std::string& job) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name, JobName(job));
  return Follow(session, session.out, name);
}

}  // namespace moeprobe

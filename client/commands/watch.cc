#include "client/commands/watch.h"

#include <string>
#include <utility>

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

// Whether a job may have begun to wait for memory: events do not say that.
bool MayWait(const v1::JobEvent& event) {
  return event.state() == v1::Job::STATE_QUEUED ||
         (event.has_place() && event.place().queue_position() == 0);
}

// What a job that is queued waits for, if it is memory.
std::string MemoryWait(Session& session, const std::string& job_name) {
  const auto job = session.client.GetJob(job_name);
  return job.ok() ? MemoryWaitText(*job) : "";
}

}  // namespace

absl::Status Follow(Session& session, Screen& screen,
                    const std::string& job_name) {
  const std::string id = JobId(job_name);
  ProgressView view(screen, absl::StrCat("job ", id));
  std::string memory_wait;
  const absl::Status status =
      session.client.WatchJob(job_name, [&](const v1::JobEvent& event) {
        view.Observe(event);
        if (!MayWait(event)) return;
        const std::string before =
            std::exchange(memory_wait, MemoryWait(session, job_name));
        if (memory_wait.empty() || memory_wait == before) return;
        view.Tell(absl::StrCat("waits for ", memory_wait));
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

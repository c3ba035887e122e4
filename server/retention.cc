#include "server/retention.h"

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/crash_point.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/job.pb.h"
#include "server/job_messages.h"
#include "server/job_plan.h"
#include "server/log.h"
#include "server/resource_name.h"
#include "server/running_tasks.h"
#include "server/trained_runs.h"
#include "storage/job.h"
#include "storage/retention_store.h"

namespace moeprobe {
namespace {

constexpr int64_t kAnyBytes = std::numeric_limits<int64_t>::max();

}  // namespace

absl::Status Retention::Work() {
  if (!is_tidy_) {
    CrashPoint("store-not-tidied");
    MOEPROBE_RETURN_IF_ERROR(TidyUp());
  }
  is_tidy_ = true;
  MOEPROBE_RETURN_IF_ERROR(MeasureRuns());
  for (int step = 0; step < kMaxSteps; ++step) {
    MOEPROBE_ASSIGN_OR_RETURN(const bool done_something, Step());
    MOEPROBE_RETURN_IF_ERROR(DiscardBlobs());
    MOEPROBE_RETURN_IF_ERROR(RemoveRuns());
    if (!done_something) break;
  }
  return absl::OkStatus();
}

// What an earlier server left.
absl::Status Retention::TidyUp() {
  MOEPROBE_RETURN_IF_ERROR(AdoptRuns());
  MOEPROBE_RETURN_IF_ERROR(RemoveUnknownRuns());
  MOEPROBE_RETURN_IF_ERROR(RemoveUnknownBlobs());
  MOEPROBE_ASSIGN_OR_RETURN(const auto runs, parts_.store->Runs());
  for (const std::string& run : runs) growing_runs_[run] = -1;
  return absl::OkStatus();
}

absl::StatusOr<JobPlan> Retention::PlanOf(const JobRow& job) {
  MOEPROBE_ASSIGN_OR_RETURN(const v1::Job spec, SpecOf(job));
  return parts_.planner->Plan(spec, DeviceOf(spec));
}

// Of jobs from before runs were noted. Where one cannot be planned any more,
// nobody can tell which models are its own.
absl::Status Retention::AdoptRuns() {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<JobRow> jobs,
                            parts_.store->JobsWithoutRuns());
  for (const JobRow& job : jobs) {
    const auto plan = PlanOf(job);
    if (plan.ok()) {
      MOEPROBE_RETURN_IF_ERROR(parts_.store->AddRuns(job.id, RunsOf(*plan)));
      continue;
    }
    knows_all_runs_ = false;
    LogWarning(
        "cannot tell which models are its own; those that no other job "
        "has stay",
        {JobField(job.id), {"reason", std::string(plan.status().message())}});
  }
  return absl::OkStatus();
}

// Aside at once, since to remove them takes time, in which a job may want to
// have a run of the same name.
absl::Status Retention::RemoveUnknownRuns() {
  if (!knows_all_runs_) return absl::OkStatus();
  std::vector<std::string> aside;
  MOEPROBE_RETURN_IF_ERROR(
      parts_.scheduler->WhileNothingStarts([&]() -> absl::Status {
        // In this order: the job of a new directory is known before it is made.
        MOEPROBE_ASSIGN_OR_RETURN(const auto names, parts_.runs.Names());
        MOEPROBE_ASSIGN_OR_RETURN(const auto runs, parts_.store->Runs());
        const std::set<std::string> known(runs.begin(), runs.end());
        for (const std::string& name : names) {
          if (known.contains(name)) continue;
          MOEPROBE_ASSIGN_OR_RETURN(std::string removed,
                                    parts_.runs.SetAside(name));
          aside.push_back(std::move(removed));
        }
        return absl::OkStatus();
      }));
  for (const std::string& name : aside) {
    MOEPROBE_RETURN_IF_ERROR(parts_.runs.Remove(name));
  }
  return absl::OkStatus();
}

absl::Status Retention::RemoveUnknownBlobs() {
  MOEPROBE_ASSIGN_OR_RETURN(const auto names, parts_.blobs->List());
  for (const std::string& sha256 : names) {
    MOEPROBE_ASSIGN_OR_RETURN(const bool is_needed,
                              parts_.store->HasBlob(sha256));
    if (!is_needed) blobs_.push_back(sha256);
  }
  return absl::OkStatus();
}

// Those of running tasks, and of those that have ended since, however briefly
// they ran.
absl::Status Retention::MeasureRuns() {
  std::map<std::string, int64_t> running;
  for (const auto& task : parts_.running->All()) {
    for (const std::string& run : RunsOf(task->plan)) running[run] = -1;
  }
  growing_runs_.insert(running.begin(), running.end());
  for (const std::string& run : parts_.running->TakeEndedRuns()) {
    growing_runs_.insert({run, -1});
  }
  for (auto& [run, noted] : growing_runs_) {
    const int64_t bytes = parts_.runs.BytesOf(run);
    if (bytes == noted) continue;
    MOEPROBE_RETURN_IF_ERROR(parts_.store->SetRunBytes(run, bytes));
    noted = bytes;
  }
  std::erase_if(growing_runs_, [&](const auto& entry) {
    return !running.contains(entry.first);
  });
  return absl::OkStatus();
}

// Returns whether there was anything to do.
absl::StatusOr<bool> Retention::Step() {
  MOEPROBE_ASSIGN_OR_RETURN(const bool released, parts_.store->Release());
  if (released) {
    CrashPoint("results-let-go-entries-there");
    return true;
  }
  MOEPROBE_ASSIGN_OR_RETURN(const bool dropped, DropByAge());
  if (dropped) return true;
  return MakeRoom();
}

absl::StatusOr<bool> Retention::DropByAge() {
  const bool is_quiet = parts_.clock_watch.IsQuietFor(kDistrust);
  if (parts_.rules.age == absl::InfiniteDuration() || !is_quiet) return false;
  const absl::Time time = parts_.clock() - parts_.rules.age;
  const std::string reason =
      absl::StrCat("they were older than ",
                   absl::FormatDuration(parts_.rules.age), " (--keep-results)");
  MOEPROBE_ASSIGN_OR_RETURN(const auto job,
                            parts_.store->DropEndedBy(time, reason));
  if (job) NoteDrop(*job, reason);
  if (job) return true;
  return RemoveEntries(time, kAnyBytes);
}

absl::StatusOr<bool> Retention::MakeRoom() {
  if (parts_.rules.bytes == 0) return false;
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t bytes, parts_.store->Bytes());
  const int64_t excess = bytes - parts_.rules.bytes;
  if (excess <= 0) return false;
  MOEPROBE_ASSIGN_OR_RETURN(const bool removed,
                            RemoveEntries(absl::InfiniteFuture(), excess));
  if (removed) return true;
  const std::string reason =
      absl::StrCat("all results took ", bytes, " bytes, of at most ",
                   parts_.rules.bytes, " (--max-store)");
  MOEPROBE_ASSIGN_OR_RETURN(const auto job, parts_.store->DropOldest(reason));
  if (job) NoteDrop(*job, reason);
  return job.has_value();
}

void Retention::NoteDrop(int64_t job, const std::string& reason) {
  CrashPoint("results-dropped-not-told");
  parts_.record->ResultsDropped(job, reason);
  parts_.audit->Write({.proof = "server",
                       .method = "Retention/DropResults",
                       .resource = JobName(job),
                       .outcome = "OK"});
}

absl::StatusOr<bool> Retention::RemoveEntries(absl::Time made, int64_t bytes) {
  MOEPROBE_ASSIGN_OR_RETURN(RemovedEntries removed,
                            parts_.store->RemoveUnclaimed(made, bytes));
  parts_.record->Removed(removed.bytes);
  if (!removed.blobs.empty()) CrashPoint("entries-removed-blobs-there");
  blobs_.insert(blobs_.end(), removed.blobs.begin(), removed.blobs.end());
  return removed.count > 0;
}

// With them goes what was stored for a row that then could not be.
absl::Status Retention::DiscardBlobs() {
  std::vector<std::string> blobs = parts_.blobs->Unsettled();
  blobs.insert(blobs.end(), blobs_.begin(), blobs_.end());
  if (blobs.empty()) return absl::OkStatus();
  MOEPROBE_ASSIGN_OR_RETURN(
      const bool discarded,
      parts_.blobs->DiscardUnneeded(blobs, [this](const std::string& sha256) {
        return parts_.store->HasBlob(sha256);
      }));
  if (discarded) blobs_.clear();
  return absl::OkStatus();
}

// A directory goes while no job can start that would train or read its models.
absl::Status Retention::RemoveRuns() {
  MOEPROBE_ASSIGN_OR_RETURN(const auto unclaimed,
                            parts_.store->UnclaimedRuns());
  if (unclaimed.empty()) return absl::OkStatus();
  std::vector<std::string> aside;
  MOEPROBE_RETURN_IF_ERROR(
      parts_.scheduler->WhileNothingStarts([&]() -> absl::Status {
        MOEPROBE_ASSIGN_OR_RETURN(const auto runs,
                                  parts_.store->UnclaimedRuns());
        for (const std::string& run : runs) {
          MOEPROBE_ASSIGN_OR_RETURN(const std::string name,
                                    parts_.runs.SetAside(run));
          aside.push_back(name);
        }
        return absl::OkStatus();
      }));
  for (const std::string& name : aside) {
    CrashPoint("models-aside-not-removed");
    parts_.record->Removed(parts_.runs.BytesOf(name));
    MOEPROBE_RETURN_IF_ERROR(parts_.runs.Remove(name));
  }
  for (const std::string& run : unclaimed) {
    CrashPoint("models-removed-run-known");
    parts_.models->Forget(run);
    MOEPROBE_RETURN_IF_ERROR(parts_.store->ForgetRun(run));
  }
  return absl::OkStatus();
}

}  // namespace moeprobe

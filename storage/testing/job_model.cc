#include "storage/testing/job_model.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/job.h"

namespace moeprobe {
namespace {

constexpr const char* kAdmin = "admin";

std::string Name(absl::StatusCode code) {
  return absl::StatusCodeToString(code);
}

bool IsHeld(const JobView& job) { return job.worker.has_value(); }

bool IsWhole(const JobView& job) {
  return std::ssize(job.layers) == JobModel::kLayerCount;
}

bool MayChange(const std::string& user, const JobView& job) {
  return user == kAdmin || user == job.owner;
}

bool MaySee(const std::string& user, const JobView& job) {
  return !job.is_private || MayChange(user, job);
}

std::string Minute(const std::optional<int64_t>& time) {
  return time ? absl::StrCat(*time) : "?";
}

}  // namespace

std::string Describe(const JobView& job) {
  return absl::StrCat(
      "job ", job.id, " of ", job.owner, job.is_private ? ", private" : "",
      ", ", job.work, ": ", NameOf(job.state), ", attempt ", job.attempt,
      job.worker ? absl::StrCat(" by ", *job.worker) : "", ", ",
      job.crash_count, " crashes", job.cached ? ", cached" : "", ", phase '",
      job.phase, "'", job.failure ? ", failed " + Name(*job.failure) : "",
      ", at ", job.created, " ", Minute(job.started), " ", Minute(job.ended),
      ", layers ", absl::StrJoin(job.layers, "+"), ", was ",
      absl::StrJoin(job.history, " "));
}

std::string JobModel::KeyOf(const std::string& work, int64_t layer) {
  return layer == 0 ? "first" : absl::StrCat(work, layer);
}

std::vector<int64_t> JobModel::OpenJobs() const {
  std::vector<int64_t> open;
  for (const auto& [id, job] : jobs_) {
    if (!IsFinal(job.view.state)) open.push_back(id);
  }
  return open;
}

std::vector<int64_t> JobModel::HeldJobs() const {
  std::vector<int64_t> held;
  for (const auto& [id, job] : jobs_) {
    if (IsHeld(job.view)) held.push_back(id);
  }
  return held;
}

std::vector<int64_t> JobModel::BusyWorkers() const {
  std::vector<int64_t> workers;
  for (const auto& [id, job] : jobs_) {
    if (job.view.worker) workers.push_back(*job.view.worker);
  }
  return workers;
}

std::string JobModel::Submit(const Request& request) {
  for (const auto& [id, job] : jobs_) {
    if (request.id.empty() || job.request_id != request.id ||
        job.view.owner != request.owner) {
      continue;
    }
    const bool is_same = job.view.work == request.work &&
                         job.view.is_private == request.is_private;
    return is_same ? absl::StrCat("earlier job ", id)
                   : Name(absl::StatusCode::kAlreadyExists);
  }
  JobView job{.id = next_id_,
              .owner = request.owner,
              .is_private = request.is_private,
              .work = request.work,
              .created = now_,
              .history = {NameOf(JobState::kQueued)}};
  Attach(job);
  if (IsWhole(job)) {
    Succeed(job);
  } else if (WaitingCount(request.owner) >= kLimits.queued_jobs_per_user ||
             std::ssize(OpenJobs()) - std::ssize(HeldJobs()) >=
                 kLimits.queued_jobs) {
    return Name(absl::StatusCode::kResourceExhausted);
  }
  jobs_[next_id_] = {.view = job, .request_id = request.id};
  return absl::StrCat(job.cached ? "cached job " : "job ", next_id_++);
}

std::string JobModel::Cancel(const std::string& user, int64_t job) {
  if (const auto refusal = Refusal(user, job)) return Name(*refusal);
  JobView& view = jobs_.at(job).view;
  const JobState before = view.state;
  if (before == JobState::kQueued) EndCancelled(view);
  if (before == JobState::kRunning) Move(view, JobState::kCancelling);
  return view.state == before ? "OK" : NameOf(view.state);
}

std::string JobModel::Remove(const std::string& user, int64_t job) {
  if (const auto refusal = Refusal(user, job)) return Name(*refusal);
  if (!IsFinal(jobs_.at(job).view.state)) {
    return Name(absl::StatusCode::kFailedPrecondition);
  }
  jobs_.erase(job);
  return "OK";
}

std::string JobModel::Start(int64_t job, int64_t worker) {
  Job* found = Find(job);
  if (found == nullptr || found->view.state != JobState::kQueued) {
    return Name(absl::StatusCode::kAborted);
  }
  JobView& view = found->view;
  view.worker = worker;
  view.phase = "";
  view.started = view.started.value_or(now_);
  Move(view, JobState::kRunning);
  return absl::StrCat("job ", job, ", attempt ", ++view.attempt);
}

std::string JobModel::StartNext(int64_t worker) {
  const auto next = Next();
  return next ? Start(*next, worker) : "none";
}

std::string JobModel::AnswerFromCache(int64_t job) {
  Job* found = Find(job);
  if (found == nullptr) return Name(absl::StatusCode::kNotFound);
  JobView& view = found->view;
  if (view.state != JobState::kQueued) return "unanswered";
  Attach(view);
  if (!IsWhole(view)) return "unanswered";
  Succeed(view);
  return "answered";
}

std::string JobModel::FailQueued(int64_t job) {
  Job* found = Find(job);
  if (found == nullptr) return Name(absl::StatusCode::kNotFound);
  if (found->view.state == JobState::kQueued) {
    Move(found->view, JobState::kFailed, absl::StatusCode::kInternal);
  }
  return "OK";
}

std::string JobModel::Report(const SomeAttempt& attempt,
                             const std::string& phase) {
  JobView* job = Held(attempt);
  if (job == nullptr) return Name(absl::StatusCode::kAborted);
  job->phase = phase;
  return job->state == JobState::kCancelling ? "stop" : "go on";
}

std::string JobModel::Publish(const SomeAttempt& attempt, int64_t layer) {
  JobView* job = Held(attempt);
  if (job == nullptr) return Name(absl::StatusCode::kAborted);
  cache_.insert(KeyOf(job->work, layer));
  if (job->layers.insert(layer).second) {
    job->crash_count = 0;
    job->history.push_back(absl::StrCat("layer", layer, "/"));
  }
  return "OK";
}

std::string JobModel::Finish(const SomeAttempt& attempt,
                             AttemptOutcome outcome) {
  JobView* job = Held(attempt);
  if (job == nullptr) return Name(absl::StatusCode::kAborted);
  if (outcome == AttemptOutcome::kGivenBack) {
    Release(*job);
  } else if (outcome == AttemptOutcome::kDone && IsWhole(*job)) {
    Succeed(*job);
  } else {
    Move(*job, JobState::kFailed, absl::StatusCode::kInternal);
  }
  return NameOf(job->state);
}

std::string JobModel::WorkerDied(int64_t worker) {
  for (auto& [id, job] : jobs_) {
    if (job.view.worker != worker) continue;
    const bool is_blamed = job.view.state == JobState::kRunning;
    if (is_blamed && ++job.view.crash_count == kMaxCrashCount) {
      Move(job.view, JobState::kFailed, absl::StatusCode::kInternal);
    } else {
      Release(job.view);
    }
    return absl::StrCat("job ", id);
  }
  return "none";
}

std::string JobModel::ReleaseAll() {
  for (const int64_t job : HeldJobs()) Release(jobs_.at(job).view);
  return "OK";
}

std::string JobModel::PassTime(int64_t minutes) {
  now_ += minutes;
  return "OK";
}

std::vector<std::string> JobModel::Seen() {
  std::vector<std::string> seen;
  seen.reserve(jobs_.size() + kUsers.size() + 1);
  for (const auto& [id, job] : jobs_) seen.push_back(Describe(job.view));
  for (const std::string user : kUsers) {
    std::string listed = absl::StrCat(user, " sees");
    for (const auto& [id, job] : jobs_) {
      if (MaySee(user, job.view)) absl::StrAppend(&listed, " ", id);
    }
    seen.push_back(listed);
  }
  seen.push_back(absl::StrCat("next: ", Next().value_or(0)));
  return seen;
}

JobModel::Job* JobModel::Find(int64_t job) {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? nullptr : &found->second;
}

JobView* JobModel::Held(const SomeAttempt& attempt) {
  Job* found = Find(attempt.job);
  const bool holds =
      found != nullptr && IsHeld(found->view) && attempt.ago == 0;
  return holds ? &found->view : nullptr;
}

std::optional<absl::StatusCode> JobModel::Refusal(const std::string& user,
                                                  int64_t job) const {
  const auto found = jobs_.find(job);
  if (found == jobs_.end() || !MaySee(user, found->second.view)) {
    return absl::StatusCode::kNotFound;
  }
  if (MayChange(user, found->second.view)) return std::nullopt;
  return absl::StatusCode::kPermissionDenied;
}

std::optional<int64_t> JobModel::Next() const {
  std::set<std::string> held_works;
  for (const int64_t id : HeldJobs()) {
    held_works.insert(jobs_.at(id).view.work);
  }
  std::optional<std::tuple<int, int64_t>> first;
  for (const auto& [id, job] : jobs_) {
    if (job.view.state != JobState::kQueued ||
        held_works.contains(job.view.work)) {
      continue;
    }
    const std::tuple candidate(HeldCount(job.view.owner), id);
    if (!first || candidate < *first) first = candidate;
  }
  return first ? std::optional(std::get<int64_t>(*first)) : std::nullopt;
}

int JobModel::WaitingCount(const std::string& owner) const {
  return static_cast<int>(std::ranges::count_if(jobs_, [&](const auto& job) {
    return job.second.view.owner == owner &&
           job.second.view.state == JobState::kQueued;
  }));
}

int JobModel::HeldCount(const std::string& owner) const {
  return static_cast<int>(std::ranges::count_if(jobs_, [&](const auto& job) {
    return job.second.view.owner == owner && IsHeld(job.second.view);
  }));
}

void JobModel::Move(JobView& job, JobState state,
                    std::optional<absl::StatusCode> failure) const {
  job.state = state;
  job.failure = failure;
  if (IsFinal(state)) job.ended = now_;
  if (state != JobState::kRunning && state != JobState::kCancelling) {
    job.worker = std::nullopt;
  }
  job.history.emplace_back(NameOf(state));
}

void JobModel::EndCancelled(JobView& job) const {
  Move(job, JobState::kCancelled, absl::StatusCode::kCancelled);
}

void JobModel::Succeed(JobView& job) const {
  job.phase = "";
  job.cached = job.attempt == 0;
  Move(job, JobState::kSucceeded);
}

void JobModel::Release(JobView& job) const {
  if (job.state == JobState::kCancelling) {
    EndCancelled(job);
  } else {
    Move(job, JobState::kQueued);
  }
}

void JobModel::Attach(JobView& job) const {
  for (int64_t layer = 0; layer < kLayerCount; ++layer) {
    if (!cache_.contains(KeyOf(job.work, layer)) ||
        !job.layers.insert(layer).second) {
      continue;
    }
    job.history.push_back(absl::StrCat("layer", layer, "/"));
  }
}

}  // namespace moeprobe

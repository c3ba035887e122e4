// The stores of jobs beside a model of them (storage/testing/job_model): both
// are given the same commands in any order, and have to answer the same and to
// have the same jobs after each.

#include <gtest/gtest.h>
// After gtest.h, which it needs.
#include <rapidcheck/gtest.h>
#include <rapidcheck/state.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "storage/access.h"
#include "storage/attempt_store.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_queue.h"
#include "storage/job_store.h"
#include "storage/testing/job_model.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

constexpr int kAllEvents = 10'000;

Viewer ViewerOf(const std::string& user) {
  return {.name = user, .is_admin = user == "admin"};
}

std::string Said(const absl::Status& status) {
  return absl::StatusCodeToString(status.code());
}

std::string SaidStarted(const absl::StatusOr<AttemptId>& attempt) {
  if (!attempt.ok()) return Said(attempt.status());
  return absl::StrCat("job ", attempt->job, ", attempt ", attempt->attempt);
}

// What a job needs of a layer, or all it needs.
NeededGroup GroupOf(const std::string& work, int64_t layer) {
  return {.part = 0,
          .layer = layer,
          .probe = "routing",
          .key = JobModel::KeyOf(work, layer)};
}

std::vector<NeededGroup> GroupsOf(const std::string& work) {
  std::vector<NeededGroup> groups;
  groups.reserve(JobModel::kLayerCount);
  for (int64_t layer = 0; layer < JobModel::kLayerCount; ++layer) {
    groups.push_back(GroupOf(work, layer));
  }
  return groups;
}

JobFailure FailureOf(absl::StatusCode code) {
  return {.code = static_cast<int>(code), .message = "words"};
}

absl::Time FirstTime() { return absl::FromUnixSeconds(1'750'000'000); }

int64_t MinuteOf(absl::Time time) {
  return absl::ToInt64Minutes(time - FirstTime());
}

// Returns a file with an empty database, of which copies open faster than new
// ones.
std::filesystem::path EmptyDatabase() {
  static const TemporaryDirectory directory;
  std::filesystem::path file = directory.path() / "empty.db";
  static const bool made = Database::Open(file).ok();
  EXPECT_TRUE(made);
  return file;
}

// The stores, over a file that is left and opened again.
class StoredJobs : public Jobs {
 public:
  StoredJobs() {
    std::filesystem::copy_file(EmptyDatabase(), file_);
    server_ = std::make_unique<Server>(file_, &now_);
  }

  std::string Submit(const Request& request) override {
    NewJob job;
    job.access = {.owner = request.owner, .is_private = request.is_private};
    job.spec = request.work;
    job.request_key = request.work;
    job.request_id = request.id;
    job.request_digest =
        absl::StrCat(request.work, static_cast<int>(request.is_private));
    job.parts = {{.prefix = ""}};
    job.groups = GroupsOf(request.work);
    const auto created = server_->jobs.Create(job);
    if (!created.ok()) return Said(created.status());
    return absl::StrCat(created->is_new ? "" : "earlier ",
                        created->is_cached() ? "cached " : "", "job ",
                        created->job.id);
  }

  std::string Cancel(const std::string& user, int64_t job) override {
    const auto change = server_->jobs.Cancel(ViewerOf(user), job);
    return change.ok() && *change ? NameOf(**change) : Said(change.status());
  }

  std::string Remove(const std::string& user, int64_t job) override {
    return Said(server_->jobs.Remove(ViewerOf(user), job));
  }

  std::string Start(int64_t job, int64_t worker) override {
    return SaidStarted(server_->queue.Start(job, worker));
  }

  std::string StartNext(int64_t worker) override {
    const auto next = server_->queue.NextQueued();
    if (!next.ok()) return Said(next.status());
    return *next ? Start((*next)->id, worker) : "none";
  }

  std::string AnswerFromCache(int64_t job) override {
    const auto row = server_->jobs.Get(ServerItself(), job);
    const auto answered = server_->queue.AnswerFromCache(
        job, GroupsOf(row.ok() ? row->spec : ""), {});
    if (!answered.ok()) return Said(answered.status());
    return *answered ? "answered" : "unanswered";
  }

  std::string FailQueued(int64_t job) override {
    return Said(
        server_->queue.FailQueued(job, FailureOf(absl::StatusCode::kInternal)));
  }

  std::string Report(const SomeAttempt& attempt,
                     const std::string& phase) override {
    const auto stop =
        server_->attempts.Report(IdOf(attempt), phase, /*fraction=*/0.5, {});
    if (!stop.ok()) return Said(stop.status());
    return *stop ? "stop" : "go on";
  }

  std::string Publish(const SomeAttempt& attempt, int64_t layer) override {
    const auto row = server_->jobs.Get(ServerItself(), attempt.job);
    const NeededGroup group = GroupOf(row.ok() ? row->spec : "", layer);
    return Said(server_->attempts.Publish(
        IdOf(attempt),
        {.layer = layer,
         .stamp = "stamp",
         .weights_fingerprint = "weights",
         .groups = {{.probe = group.probe, .key = group.key, .arrays = {}}},
         .needed = {group},
         .warnings = {}}));
  }

  std::string Finish(const SomeAttempt& attempt,
                     AttemptOutcome outcome) override {
    AttemptEnd end;
    if (outcome == AttemptOutcome::kFailed) {
      end.failure = FailureOf(absl::StatusCode::kInternal);
    } else if (outcome == AttemptOutcome::kGivenBack) {
      end.failure = FailureOf(absl::StatusCode::kCancelled);
    }
    const auto state = server_->attempts.Finish(IdOf(attempt), end);
    return state.ok() ? NameOf(*state) : Said(state.status());
  }

  std::string WorkerDied(int64_t worker) override {
    const auto job =
        server_->attempts.WorkerDied(worker, "words", JobModel::kMaxCrashCount);
    if (!job.ok()) return Said(job.status());
    return *job ? absl::StrCat("job ", (*job)->id) : "none";
  }

  std::string Reopen() override {
    server_.reset();
    server_ = std::make_unique<Server>(file_, &now_);
    return "OK";
  }

  std::string ReleaseAll() override {
    return Said(server_->attempts.ReleaseAll());
  }

  std::string PassTime(int64_t minutes) override {
    now_ += absl::Minutes(minutes);
    return "OK";
  }

  std::vector<std::string> Seen() override {
    std::vector<std::string> seen;
    for (const JobRow& row : Listed(ServerItself())) {
      seen.push_back(Describe(ViewOf(row)));
    }
    for (const char* user : JobModel::kUsers) {
      std::string listed = absl::StrCat(user, " sees");
      for (const JobRow& row : Listed(ViewerOf(user))) {
        absl::StrAppend(&listed, " ", row.id);
      }
      seen.push_back(listed);
    }
    const auto next = server_->queue.NextQueued();
    seen.push_back(absl::StrCat("next: ", *next ? (*next)->id : 0));
    return seen;
  }

 private:
  // What one process of a server has of it.
  struct Server {
    Server(const std::filesystem::path& file, const absl::Time* now)
        : database(*Database::Open(file)),
          time_of_day([now] { return *now; }) {}

    static void Ignore(int64_t /*job*/) {}
    // Attempts take no time, so that nobody is charged for them. It is later
    // than the time of day will be: of those that a server that died had, the
    // events tell how long they took.
    static absl::Time Late() { return absl::FromUnixSeconds(4'102'444'800); }

    std::unique_ptr<Database> database;
    std::function<absl::Time()> time_of_day;
    JobStore jobs{database.get(), Ignore, time_of_day, JobModel::kLimits};
    JobQueue queue{database.get(), Ignore, Late, JobModel::kLimits,
                   time_of_day};
    AttemptStore attempts{database.get(), Ignore, Late, time_of_day};
  };

  AttemptId IdOf(const SomeAttempt& attempt) {
    const auto row = server_->jobs.Get(ServerItself(), attempt.job);
    return {.job = attempt.job,
            .attempt = (row.ok() ? row->attempt : 0) - attempt.ago};
  }

  // From old to new.
  std::vector<JobRow> Listed(const Viewer& viewer) {
    auto rows = server_->jobs.List(viewer, std::numeric_limits<int64_t>::max(),
                                   std::numeric_limits<int>::max());
    std::ranges::reverse(*rows);
    return *std::move(rows);
  }

  JobView ViewOf(const JobRow& row) {
    JobView view{.id = row.id,
                 .owner = row.access.owner,
                 .is_private = row.access.is_private,
                 .work = row.spec,
                 .state = row.state,
                 .attempt = row.attempt,
                 .worker = row.worker,
                 .crash_count = row.crash_count,
                 .cached = row.cached,
                 .phase = row.phase,
                 .created = MinuteOf(row.create_time)};
    if (row.start_time) view.started = MinuteOf(*row.start_time);
    if (row.end_time) view.ended = MinuteOf(*row.end_time);
    if (row.failure) {
      view.failure = static_cast<absl::StatusCode>(row.failure->code);
    }
    for (int64_t layer = 0; layer < JobModel::kLayerCount; ++layer) {
      view.layers.insert(layer);
    }
    const auto missing = server_->queue.MissingGroups(row.id);
    for (const NeededGroup& group : *missing) view.layers.erase(group.layer);
    const auto followed = server_->jobs.Follow(ServerItself(), row.id,
                                               /*sequence=*/0, kAllEvents);
    for (const JobEventRow& event : followed->events) {
      if (event.kind == JobEventRow::Kind::kProgress) continue;
      view.history.push_back(event.text);
    }
    return view;
  }

  absl::Time now_ = FirstTime();
  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "moeprobe.db";
  std::unique_ptr<Server> server_;
};

void CheckSameJobs(StoredJobs& stored, JobModel& model) {
  RC_ASSERT(stored.Seen() == model.Seen());
}

// One call, which the model and the stores get alike.
class Command : public rc::state::Command<JobModel, StoredJobs> {
 public:
  virtual std::string Give(Jobs& jobs) const = 0;

  void apply(JobModel& model) const override { Give(model); }

  void run(const JobModel& before, StoredJobs& stored) const override {
    JobModel model = before;
    const std::string expected = Give(model);
    RC_ASSERT(Give(stored) == expected);
    CheckSameJobs(stored, model);
  }
};

std::string AnyUser() { return *rc::gen::elementOf(JobModel::kUsers); }

// One of some, more often than not, or a number up to another.
int64_t Any(const std::vector<int64_t>& likely, int64_t last) {
  const bool is_likely = *rc::gen::inRange(0, 4) != 0;
  if (is_likely && !likely.empty()) return *rc::gen::elementOf(likely);
  return *rc::gen::inRange<int64_t>(1, last + 1);
}

// Where not a likely one, maybe one that is gone, or is still to come.
int64_t AnyJob(const JobModel& model, const std::vector<int64_t>& likely) {
  return Any(likely, model.next_id());
}

int64_t AnyWorker(const std::vector<int64_t>& likely = {}) {
  return Any(likely, 3);
}

// A worker has no second task.
void RequireIdle(const JobModel& model, int64_t worker) {
  RC_PRE(std::ranges::count(model.BusyWorkers(), worker) == 0);
}

// Mostly the one that holds a job.
SomeAttempt AnyAttempt(const JobModel& model) {
  return {.job = AnyJob(model, model.HeldJobs()),
          .ago = *rc::gen::weightedElement<int>({{6, 0}, {1, 1}})};
}

void Show(const SomeAttempt& attempt, std::ostream& out) {
  out << " at job " << attempt.job;
  if (attempt.ago > 0) out << " by an earlier attempt";
}

const char* WordsOf(AttemptOutcome outcome) {
  switch (outcome) {
    case AttemptOutcome::kDone:
      return "done";
    case AttemptOutcome::kFailed:
      return "failed";
    case AttemptOutcome::kGivenBack:
      return "given back";
  }
  return "";
}

struct Submit : Command {
  Request request = {.owner = *rc::gen::element<std::string>("ann", "bob"),
                     .id = *rc::gen::element<std::string>("", "id1", "id2"),
                     .work = *rc::gen::elementOf(JobModel::kWorks),
                     .is_private = *rc::gen::arbitrary<bool>()};

  std::string Give(Jobs& jobs) const override { return jobs.Submit(request); }
  void show(std::ostream& out) const override {
    out << request.owner << " submits " << request.work << " as '" << request.id
        << (request.is_private ? "', private" : "'");
  }
};

struct Cancel : Command {
  explicit Cancel(const JobModel& model)
      : user(AnyUser()), job(AnyJob(model, model.OpenJobs())) {}
  std::string user;
  int64_t job;

  std::string Give(Jobs& jobs) const override { return jobs.Cancel(user, job); }
  void show(std::ostream& out) const override {
    out << user << " cancels job " << job;
  }
};

struct Remove : Command {
  explicit Remove(const JobModel& model)
      : user(AnyUser()), job(AnyJob(model, {})) {}
  std::string user;
  int64_t job;

  std::string Give(Jobs& jobs) const override { return jobs.Remove(user, job); }
  void show(std::ostream& out) const override {
    out << user << " deletes job " << job;
  }
};

struct Claim : Command {
  int64_t worker = AnyWorker();

  void checkPreconditions(const JobModel& model) const override {
    RequireIdle(model, worker);
  }
  std::string Give(Jobs& jobs) const override { return jobs.StartNext(worker); }
  void show(std::ostream& out) const override {
    out << "worker " << worker << " claims a job";
  }
};

// As if it had been the next one a moment ago.
struct Start : Command {
  explicit Start(const JobModel& model) : job(AnyJob(model, {})) {}
  int64_t job;
  int64_t worker = AnyWorker();

  void checkPreconditions(const JobModel& model) const override {
    RequireIdle(model, worker);
  }
  std::string Give(Jobs& jobs) const override {
    return jobs.Start(job, worker);
  }
  void show(std::ostream& out) const override {
    out << "worker " << worker << " gets job " << job;
  }
};

struct AnswerFromCache : Command {
  explicit AnswerFromCache(const JobModel& model)
      : job(AnyJob(model, model.OpenJobs())) {}
  int64_t job;

  std::string Give(Jobs& jobs) const override {
    return jobs.AnswerFromCache(job);
  }
  void show(std::ostream& out) const override {
    out << "the cache answers job " << job;
  }
};

struct FailQueued : Command {
  explicit FailQueued(const JobModel& model) : job(AnyJob(model, {})) {}
  int64_t job;

  std::string Give(Jobs& jobs) const override { return jobs.FailQueued(job); }
  void show(std::ostream& out) const override {
    out << "job " << job << " cannot be run";
  }
};

struct Report : Command {
  explicit Report(const JobModel& model) : attempt(AnyAttempt(model)) {}
  SomeAttempt attempt;
  std::string phase = *rc::gen::element<std::string>("reading", "probing");

  std::string Give(Jobs& jobs) const override {
    return jobs.Report(attempt, phase);
  }
  void show(std::ostream& out) const override {
    out << phase;
    Show(attempt, out);
  }
};

struct Publish : Command {
  explicit Publish(const JobModel& model) : attempt(AnyAttempt(model)) {}
  SomeAttempt attempt;
  int64_t layer = *rc::gen::inRange<int64_t>(0, JobModel::kLayerCount);

  // Of a job that is gone nobody knows what it would publish.
  void checkPreconditions(const JobModel& model) const override {
    RC_PRE(attempt.job < model.next_id());
  }
  std::string Give(Jobs& jobs) const override {
    return jobs.Publish(attempt, layer);
  }
  void show(std::ostream& out) const override {
    out << "layer " << layer;
    Show(attempt, out);
  }
};

struct Finish : Command {
  explicit Finish(const JobModel& model) : attempt(AnyAttempt(model)) {}
  SomeAttempt attempt;
  AttemptOutcome outcome = *rc::gen::weightedElement<AttemptOutcome>(
      {{3, AttemptOutcome::kDone},
       {1, AttemptOutcome::kFailed},
       {1, AttemptOutcome::kGivenBack}});

  std::string Give(Jobs& jobs) const override {
    return jobs.Finish(attempt, outcome);
  }
  void show(std::ostream& out) const override {
    out << WordsOf(outcome);
    Show(attempt, out);
  }
};

struct WorkerDied : Command {
  explicit WorkerDied(const JobModel& model)
      : worker(AnyWorker(model.BusyWorkers())) {}
  int64_t worker;

  std::string Give(Jobs& jobs) const override {
    return jobs.WorkerDied(worker);
  }
  void show(std::ostream& out) const override {
    out << "worker " << worker << " dies";
  }
};

struct Reopen : Command {
  std::string Give(Jobs& jobs) const override { return jobs.Reopen(); }
  void show(std::ostream& out) const override { out << "the server dies"; }
};

struct PassTime : Command {
  int64_t minutes = *rc::gen::inRange<int64_t>(1, 100);

  std::string Give(Jobs& jobs) const override { return jobs.PassTime(minutes); }
  void show(std::ostream& out) const override {
    out << minutes << " minutes pass";
  }
};

struct ReleaseAll : Command {
  std::string Give(Jobs& jobs) const override { return jobs.ReleaseAll(); }
  void show(std::ostream& out) const override {
    out << "the server takes all jobs back";
  }
};

RC_GTEST_PROP(JobModelTest, IsWhatTheStoresDo, ()) {
  // What there is more than once comes more often.
  const auto any_command = rc::state::gen::execOneOfWithArgs<
      Submit, Submit, Submit, Cancel, Remove, Claim, Claim, Claim, Start,
      AnswerFromCache, FailQueued, Report, Publish, Publish, Publish, Publish,
      Publish, Publish, Finish, Finish, WorkerDied, WorkerDied, Reopen,
      ReleaseAll, PassTime, PassTime>();
  StoredJobs stored;
  JobModel model;
  const auto commands = *rc::state::gen::commands(model, any_command);
  rc::state::runAll(commands, model, stored);
  rc::state::applyAll(commands, model);
  stored.Reopen();
  CheckSameJobs(stored, model);
}

}  // namespace
}  // namespace moeprobe

// Whose job goes next: the query beside a naive model of what it should say.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <numbers>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "storage/access.h"
#include "storage/attempt_store.h"
#include "storage/connection.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_queue.h"
#include "storage/job_store.h"
#include "storage/limits.h"
#include "storage/queue_forecast.h"
#include "storage/share_rows.h"
#include "storage/share_store.h"
#include "storage/statement.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

// The stores on one database, by a clock that stands still.
class Stores {
 public:
  Stores(const std::filesystem::path& file,
         const std::function<absl::Time()>& clock)
      : database(*Database::Open(file)),
        jobs(
            database.get(), [](int64_t) {}, clock),
        queue(
            database.get(), [](int64_t) {}, clock, {}, clock),
        attempts(
            database.get(), [](int64_t) {}, clock),
        shares(database.get(), clock) {}

  std::unique_ptr<Database> database;
  JobStore jobs;
  JobQueue queue;
  AttemptStore attempts;
  ShareStore shares;
};

constexpr const char* kSweep = R"sql(
WITH RECURSIVE number(i) AS (
  SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < ?2
)
INSERT INTO job(state, spec, request_key, layer_count, create_time, change_time,
                owner)
SELECT 'QUEUED', x'', 'sweep' || i, 1, ?3, ?3, ?1 FROM number)sql";

class JobOrderTest : public testing::Test {
 protected:
  int64_t Submit(const std::string& owner,
                 JobPriority priority = JobPriority::kNormal,
                 const std::string& key = "") {
    NewJob job;
    job.access.owner = owner;
    job.priority = priority;
    job.request_key = key.empty() ? absl::StrCat("k", ++keys_) : key;
    job.parts = {{.prefix = ""}};
    job.groups = {{.part = 0, .layer = 0, .probe = "routing", .key = ""}};
    return stores_->jobs.Create(job)->job.id;
  }

  // Many jobs at once; they only wait.
  void SubmitSweep(const std::string& owner, int count) {
    EXPECT_TRUE(stores_->database
                    ->Write([&](Connection& db) -> absl::Status {
                      Execute(db, kSweep, owner, count,
                              absl::ToUnixMicros(now_));
                      return absl::OkStatus();
                    })
                    .ok());
  }

  std::optional<int64_t> Next(const std::vector<int64_t>& resting = {}) {
    const auto next = stores_->queue.NextQueued(resting);
    EXPECT_TRUE(next.ok()) << next.status();
    if (!*next) return std::nullopt;
    return (*next)->id;
  }

  // The same of a queue that is not empty.
  int64_t SomeNext() {
    const auto next = Next();
    EXPECT_TRUE(next.has_value());
    return next.value_or(0);
  }

  AttemptId Start(int64_t job, std::optional<double> estimate = {}) {
    const auto attempt =
        stores_->queue.Start(job, ++worker_, {.seconds = estimate});
    EXPECT_TRUE(attempt.ok()) << attempt.status();
    return *attempt;
  }

  void Finish(const AttemptId& attempt) {
    AttemptEnd end;
    end.failure = JobFailure{.code = 13, .message = ""};
    EXPECT_TRUE(stores_->attempts.Finish(attempt, end).ok());
  }

  void RunFor(int64_t job, absl::Duration duration) {
    const AttemptId attempt = Start(job);
    now_ += duration;
    Finish(attempt);
  }

  void Restart() {
    stores_.reset();
    stores_ = std::make_unique<Stores>(file_, clock_);
  }

  absl::Time now_ = absl::UnixEpoch() + absl::Hours(24 * 365 * 50);
  std::function<absl::Time()> clock_ = [this] { return now_; };
  int64_t worker_ = 0;
  int keys_ = 0;
  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "moeprobe.db";
  std::unique_ptr<Stores> stores_ = std::make_unique<Stores>(file_, clock_);
};

TEST_F(JobOrderTest, IsEmptyAtFirst) { EXPECT_EQ(Next(), std::nullopt); }

TEST_F(JobOrderTest, GoesFromOldToNewForOneUser) {
  const int64_t first = Submit("alice");
  const int64_t second = Submit("alice");
  EXPECT_EQ(Next(), first);
  EXPECT_EQ(Next({first}), second);
  EXPECT_EQ(Next({first, second}), std::nullopt);
}

TEST_F(JobOrderTest, LetsNobodyWaitBehindASweep) {
  SubmitSweep("alice", 1000);
  const AttemptId running = Start(SomeNext());
  const int64_t of_bob = Submit("bob");
  EXPECT_EQ(Next(), of_bob);
  Restart();
  EXPECT_EQ(Next(), of_bob);
  now_ += absl::Hours(1);
  Finish(running);
  EXPECT_EQ(Next(), of_bob);
}

TEST_F(JobOrderTest, CountsWhatRunsAsItsEstimateOrMore) {
  Start(Submit("alice"), 100);
  Start(Submit("bob"), 50);
  Submit("alice");
  const int64_t of_bob = Submit("bob");
  EXPECT_EQ(Next(), of_bob);
  now_ += absl::Seconds(200);  // by now both have taken more, and the same
  EXPECT_EQ(Next({of_bob}), 3);
  EXPECT_EQ(Next(), 3);
}

TEST_F(JobOrderTest, DividesByWeight) {
  ASSERT_TRUE(stores_->shares.SetWeight("alice", 3).ok());
  std::map<std::string, int> starts;
  for (int i = 0; i < 20; ++i) {
    Submit("alice");
    Submit("bob");
    const int64_t next = SomeNext();
    ++starts[stores_->jobs.Get(ServerItself(), next)->access.owner];
    RunFor(next, absl::Seconds(1));
  }
  EXPECT_EQ(starts["alice"], 15);
  EXPECT_EQ(starts["bob"], 5);
}

TEST_F(JobOrderTest, TakesHigherPrioritiesFirst) {
  const int64_t low = Submit("alice", JobPriority::kLow);
  RunFor(Submit("bob"), absl::Hours(1));
  const int64_t normal = Submit("bob");
  const int64_t high = Submit("bob", JobPriority::kHigh);
  EXPECT_EQ(Next(), high);
  EXPECT_EQ(Next({high}), normal);
  EXPECT_EQ(Next({high, normal}), low);
}

TEST_F(JobOrderTest, TakesALowPriorityForANormalOneAfterADay) {
  const int64_t low = Submit("alice", JobPriority::kLow);
  now_ += JobQueue::kLowPatience - absl::Seconds(1);
  const int64_t normal = Submit("bob");
  EXPECT_EQ(Next(), normal);
  now_ += absl::Seconds(1);
  EXPECT_EQ(Next(), low);
  const int64_t high = Submit("bob", JobPriority::kHigh);
  EXPECT_EQ(Next(), high);
}

TEST_F(JobOrderTest, LetsNoLowPriorityWaitForATimeThatIsNotYet) {
  const absl::Time true_time = now_;
  now_ += absl::Hours(24 * 365 * 74);
  const int64_t low = Submit("alice", JobPriority::kLow);
  const int64_t normal = Submit("bob");
  EXPECT_EQ(Next(), normal);
  now_ = true_time;
  EXPECT_EQ(Next(), low);
  EXPECT_EQ(Next({low}), normal);
}

TEST_F(JobOrderTest, LetsLowPrioritiesWaitWhereTheTimeWasCorrected) {
  const int64_t low = Submit("alice", JobPriority::kLow);
  now_ -= absl::Hours(1);
  const int64_t normal = Submit("bob");
  EXPECT_EQ(Next(), normal);
  now_ += JobQueue::kLowPatience + absl::Hours(1);
  EXPECT_EQ(Next(), low);
}

TEST_F(JobOrderTest, LetsAJobWaitWhoseLikeRuns) {
  const AttemptId running = Start(Submit("alice", JobPriority::kNormal, "k"));
  Submit("bob", JobPriority::kNormal, "k");
  const int64_t other = Submit("alice");
  EXPECT_EQ(Next(), other);
  Finish(running);
  EXPECT_NE(Next(), other);
}

TEST_F(JobOrderTest, LetsUsersWaitWhoHoldAsManyWorkersAsOneMay) {
  JobQueue queue(
      stores_->database.get(), [](int64_t) {}, clock_,
      Limits{.running_jobs_per_user = 1});
  const AttemptId running = Start(Submit("alice"), 1);
  const int64_t second = Submit("alice");
  EXPECT_FALSE(queue.NextQueued()->has_value());
  Start(Submit("bob"), 1000);
  EXPECT_FALSE(queue.NextQueued()->has_value());
  EXPECT_EQ(Next(), second);
  Finish(running);
  EXPECT_EQ(queue.NextQueued()->value_or(JobRow{}).id, second);
}

TEST_F(JobOrderTest, ForeseesThatUsersWaitWhoHoldAsManyWorkersAsOneMay) {
  JobQueue queue(
      stores_->database.get(), [](int64_t) {}, clock_,
      Limits{.running_jobs_per_user = 1}, clock_);
  const AttemptId running = Start(Submit("alice"), 1000);
  const int64_t second = Submit("alice");
  const int64_t other = Submit("bob");
  const auto places = Forecast(*queue.Snapshot(), {.workers = 3, .bytes = {}});
  EXPECT_EQ(places.at(other).start_time, now_);
  EXPECT_EQ(places.at(second).start_time, now_ + absl::Seconds(1000));
  EXPECT_TRUE(queue.Start(other, 2).ok());
  Finish(running);
  EXPECT_EQ(queue.NextQueued()->value_or(JobRow{}).id, second);
}

TEST_F(JobOrderTest, PassesOverWhatThereIsNoRoomFor) {
  const auto next = [&](const Room& room) {
    const auto row = stores_->queue.NextQueued({}, room);
    EXPECT_TRUE(row.ok()) << row.status();
    return *row ? (*row)->id : 0;
  };
  const int64_t large = Submit("alice");
  const int64_t small = Submit("alice");
  const int64_t unknown = Submit("bob");
  ASSERT_TRUE(
      stores_->queue.NoteNeeds(large, {.seconds = 9, .memory_bytes = 8}).ok());
  ASSERT_TRUE(
      stores_->queue.NoteNeeds(small, {.seconds = 60, .memory_bytes = 2}).ok());
  EXPECT_EQ(next({.bytes = 8}), large);
  EXPECT_EQ(next({.bytes = 7}), small);
  EXPECT_EQ(next({.bytes = 1}), unknown);
  ASSERT_TRUE(stores_->queue.NoteNeeds(unknown, {.memory_bytes = 2}).ok());
  EXPECT_EQ(next({.bytes = 1}), 0);
  EXPECT_EQ(next({.bytes = 1, .brief_bytes = 8, .brief_seconds = 9}), large);
  EXPECT_EQ(next({.bytes = 1, .brief_bytes = 8, .brief_seconds = 8}), 0);
  EXPECT_EQ(next({.bytes = 1, .brief_bytes = 7, .brief_seconds = 60}), small);
  // Nobody looks at the room for what goes next.
  EXPECT_EQ(Next(), large);
  Restart();
  EXPECT_EQ(next({.bytes = 7}), small);
}

// The bound that decision 0031 derives: somebody who had all of the worker for
// long waits, beside others who always have jobs, at most
// h log2((1 + W / w) / (1 - n j / C)) and a job, with half-life h, own weight
// w, the others' weights W, their number n, j of each job, and C = h / ln 2.
TEST_F(JobOrderTest, LetsNobodyStarve) {
  RunFor(Submit("alice"), 100 * kUsageHalfLife);
  const int64_t waiting = Submit("alice");
  const std::map<std::string, double> others = {
      {"bob", 1}, {"carol", 1}, {"dave", 2}};
  for (const auto& [name, weight] : others) {
    ASSERT_TRUE(stores_->shares.SetWeight(name, weight).ok());
    Submit(name);
  }
  const absl::Duration job = absl::Hours(1);
  const double share =
      3 * absl::FDivDuration(job, kUsageHalfLife) * std::numbers::ln2;
  const absl::Duration bound =
      kUsageHalfLife * std::log2((1 + 4) / (1 - share)) + job;
  const absl::Time start = now_;
  int64_t next = SomeNext();
  for (; next != waiting && now_ - start <= bound; next = SomeNext()) {
    Submit(stores_->jobs.Get(ServerItself(), next)->access.owner);
    RunFor(next, job);
  }
  EXPECT_EQ(next, waiting);
  // It is fair to let alice wait: they do, for longer than a half-life.
  EXPECT_GT(now_ - start, kUsageHalfLife);
}

// What the queue should do, said as simply as possible.
class Model {
 public:
  struct Job {
    std::string owner;
    int priority = 1;
    std::string key;
    absl::Time create_time;
    bool waits = true;
    absl::Time start;     // of the attempt that holds it
    double estimate = 0;  // of that attempt
  };

  std::optional<int64_t> Next(absl::Time now,
                              const std::vector<int64_t>& resting) const {
    std::optional<std::pair<Rank, int64_t>> best;
    for (const auto& [id, job] : jobs) {
      const bool rests = std::ranges::find(resting, id) != resting.end();
      if (!job.waits || rests || IsLikeHeld(job)) continue;
      const std::pair candidate(RankOf(job, now), id);
      if (!best || candidate < *best) best = candidate;
    }
    if (!best) return std::nullopt;
    return best->second;
  }

  void Charge(const Job& job, absl::Time end) {
    charges[job.owner].emplace_back(end, SecondsLeft(end - job.start));
  }

  std::map<int64_t, Job> jobs;  // that wait or are held
  std::map<std::string, double> weights;
  // When, and how much.
  std::map<std::string, std::vector<std::pair<absl::Time, double>>> charges;

 private:
  using Rank = std::tuple<int, double, int>;

  bool IsLikeHeld(const Job& job) const {
    return std::ranges::any_of(jobs, [&](const auto& entry) {
      return !entry.second.waits && entry.second.key == job.key;
    });
  }

  Rank RankOf(const Job& job, absl::Time now) const {
    double seconds = 0;
    if (const auto found = charges.find(job.owner); found != charges.end()) {
      for (const auto& [time, charge] : found->second) {
        seconds +=
            charge * std::exp2(-absl::FDivDuration(now - time, kUsageHalfLife));
      }
    }
    int held = 0;
    for (const auto& [other_id, other] : jobs) {
      if (other.waits || other.owner != job.owner) continue;
      seconds +=
          std::max(absl::ToDoubleSeconds(now - other.start), other.estimate);
      ++held;
    }
    const auto weight = weights.find(job.owner);
    const bool is_old = now - job.create_time >= JobQueue::kLowPatience;
    return {-std::max(job.priority, is_old ? 1 : 0),
            seconds / (weight == weights.end() ? 1 : weight->second), held};
  }
};

// A random history, the same every time, of the queue and the model.
class JobHistoryTest : public JobOrderTest {
 protected:
  static constexpr int kManyCrashes = 1000;

  uint64_t Draw(uint64_t below) { return random_() % below; }

  void SubmitSome() {
    static constexpr std::array kOwners = {"alice", "bob", "carol", "dave"};
    Model::Job job{.owner = kOwners[Draw(kOwners.size())],
                   .priority = static_cast<int>(Draw(3)),
                   .key = absl::StrCat("key", Draw(60)),
                   .create_time = now_,
                   .start = now_};
    const int64_t id =
        Submit(job.owner, static_cast<JobPriority>(job.priority), job.key);
    model_.jobs[id] = job;
  }

  void StartNext() {
    const auto next = Next();
    if (!next) return;
    const auto estimate = static_cast<double>(Draw(3) * Draw(9'000));
    attempts_[*next] =
        Start(*next, estimate == 0 ? std::nullopt : std::optional(estimate));
    Model::Job& job = model_.jobs[*next];
    job.waits = false;
    job.start = now_;
    job.estimate = estimate;
  }

  // Ends an attempt, and its job unless the worker died.
  void EndOne(bool died) {
    if (attempts_.empty()) return;
    const auto held =
        std::next(attempts_.begin(), static_cast<int>(Draw(attempts_.size())));
    Model::Job& job = model_.jobs[held->first];
    model_.Charge(job, now_);
    if (died) {
      const auto row = stores_->jobs.Get(ServerItself(), held->first);
      EXPECT_TRUE(stores_->attempts
                      .WorkerDied(row->worker.value_or(0), "", kManyCrashes)
                      .ok());
      job.waits = true;
    } else {
      Finish(held->second);
      model_.jobs.erase(held->first);
    }
    attempts_.erase(held);
  }

  void SetSomeWeight() {
    const std::string owner = Draw(2) == 0 ? "alice" : "bob";
    const double weight = 0.5 + static_cast<double>(Draw(7));
    ASSERT_TRUE(stores_->shares.SetWeight(owner, weight).ok());
    model_.weights[owner] = weight;
  }

  void DoSomething() {
    const uint64_t kind = Draw(20);
    if (kind < 7) {
      SubmitSome();
    } else if (kind < 12) {
      StartNext();
    } else if (kind < 16) {
      EndOne(/*died=*/kind == 12);
    } else if (kind < 18) {
      now_ += absl::Microseconds(static_cast<int64_t>(Draw(20'000'000'000)));
    } else if (kind == 18) {
      SetSomeWeight();
    } else {
      Restart();
    }
  }

  // NOLINTNEXTLINE(bugprone-random-generator-seed): the same history each time
  std::mt19937_64 random_{31};
  Model model_;
  std::map<int64_t, AttemptId> attempts_;
};

TEST_F(JobHistoryTest, DoesWhatTheModelDoes) {
  for (int step = 0; step < 400; ++step) {
    SCOPED_TRACE(step);
    DoSomething();
    std::vector<int64_t> resting;
    if (const auto next = Next(); next && Draw(4) == 0) resting = {*next};
    ASSERT_EQ(Next(resting), model_.Next(now_, resting));
  }
  EXPECT_GT(model_.charges.size(), 3);
}

}  // namespace
}  // namespace moeprobe

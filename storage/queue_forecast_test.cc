#include "storage/queue_forecast.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/database.h"
#include "storage/job.h"
#include "storage/job_queue.h"
#include "storage/job_store.h"
#include "storage/share_store.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

absl::Time Start() { return absl::UnixEpoch() + absl::Hours(24 * 365 * 50); }

using Places = std::unordered_map<int64_t, QueuePlace>;

// Jobs in the order in which they go.
std::vector<int64_t> Order(const Places& places) {
  std::vector<int64_t> order(places.size());
  for (const auto& [id, place] : places) {
    order[static_cast<size_t>(place.jobs_ahead)] = id;
  }
  return order;
}

// Seconds until a job starts.
std::optional<double> Wait(const Places& places, int64_t job) {
  const auto start = places.at(job).start_time;
  if (!start) return std::nullopt;
  return absl::ToDoubleSeconds(*start - Start());
}

QueueSnapshot Snapshot(std::vector<WaitingUser> users,
                       std::vector<HeldJob> held = {}) {
  return {.time = Start(), .users = std::move(users), .held = std::move(held)};
}

Capacity Workers(int count) { return {.workers = count, .bytes = {}}; }

WaitingJob Job(int64_t id, std::optional<double> seconds = 10, int rank = 1) {
  return {.id = id, .rank = rank, .seconds = seconds};
}

WaitingJob Large(int64_t id, double seconds, int64_t bytes) {
  return {.id = id, .rank = 1, .seconds = seconds, .bytes = bytes};
}

TEST(ForecastTest, SaysNothingOfAnEmptyQueue) {
  EXPECT_THAT(Forecast(Snapshot({}), Workers(1)), IsEmpty());
}

TEST(ForecastTest, AddsUpWhatIsAhead) {
  const Places places =
      Forecast(Snapshot({{.jobs = {Job(1, 10), Job(2, 20), Job(3, 5)}}},
                        {{.seconds = 7}}),
               Workers(1));
  EXPECT_THAT(Order(places), ElementsAre(1, 2, 3));
  EXPECT_THAT(Wait(places, 1), Optional(7.0));
  EXPECT_THAT(Wait(places, 2), Optional(17.0));
  EXPECT_THAT(Wait(places, 3), Optional(37.0));
}

TEST(ForecastTest, GivesJobsToTheWorkerThatIsFreeFirst) {
  const Places places =
      Forecast(Snapshot({{.jobs = {Job(1, 10), Job(2, 20), Job(3, 5)}}},
                        {{.seconds = 30}}),
               Workers(2));
  EXPECT_THAT(Wait(places, 1), Optional(0.0));
  EXPECT_THAT(Wait(places, 2), Optional(10.0));
  EXPECT_THAT(Wait(places, 3), Optional(30.0));
}

TEST(ForecastTest, TellsNothingWhereNobodyKnows) {
  // Of what runs, and no other worker is there.
  Places places =
      Forecast(Snapshot({{.jobs = {Job(1)}}}, {HeldJob{}}), Workers(1));
  EXPECT_EQ(places[1].jobs_ahead, 0);
  EXPECT_EQ(Wait(places, 1), std::nullopt);
  // Of what is ahead.
  places = Forecast(Snapshot({{.jobs = {Job(1, std::nullopt), Job(2)}}}),
                    Workers(1));
  EXPECT_THAT(Wait(places, 1), Optional(0.0));
  EXPECT_EQ(Wait(places, 2), std::nullopt);
  // But another worker is known to be free.
  places = Forecast(Snapshot({{.jobs = {Job(1, std::nullopt), Job(2)}}}),
                    Workers(2));
  EXPECT_THAT(Wait(places, 2), Optional(0.0));
  // No worker at all.
  places = Forecast(Snapshot({{.jobs = {Job(1)}}}), Workers(0));
  EXPECT_EQ(Wait(places, 1), std::nullopt);
}

TEST(ForecastTest, LetsUsersTakeTurnsByWeight) {
  const Places places =
      Forecast(Snapshot({{.jobs = {Job(1), Job(2), Job(3)}},
                         {.weight = 2, .jobs = {Job(4), Job(5), Job(6)}}}),
               Workers(1));
  EXPECT_THAT(Order(places), ElementsAre(1, 4, 5, 2, 6, 3));
}

TEST(ForecastTest, TakesRanksFirst) {
  const Places places =
      Forecast(Snapshot({{.jobs = {Job(4, 10, 1), Job(1, 10, 0)}},
                         {.seconds = 99, .jobs = {Job(3, 10, 2), Job(2)}}}),
               Workers(1));
  EXPECT_THAT(Order(places), ElementsAre(3, 4, 2, 1));
}

TEST(ForecastTest, WaitsUntilThereIsMemory) {
  const QueueSnapshot snapshot =
      Snapshot({{.jobs = {Large(1, 10, 4), Large(2, 10, 7), Large(3, 10, 1)}}},
               {{.seconds = 5, .bytes = 6}, {.seconds = 30, .bytes = 0}});
  const Places places = Forecast(snapshot, {.workers = 4, .bytes = 10});
  EXPECT_THAT(Wait(places, 1), Optional(0.0));
  EXPECT_THAT(Wait(places, 2), Optional(10.0));  // 5: job 1 holds 4 of 10
  EXPECT_THAT(Wait(places, 3), Optional(10.0));
  // As much as it likes: only workers are short.
  EXPECT_THAT(Wait(Forecast(snapshot, Workers(4)), 2), Optional(0.0));
  EXPECT_THAT(Wait(Forecast(snapshot, Workers(4)), 3), Optional(5.0));
}

TEST(ForecastTest, CountsOnNoMemoryOfWhatTakesNobodyKnowsHowLong) {
  const Places places = Forecast(
      Snapshot({{.jobs = {Large(1, 10, 7), Large(2, 10, 4), Large(3, 10, 1)}}},
               {{.seconds = {}, .bytes = 5}, {.seconds = 8, .bytes = 5}}),
      {.workers = 3, .bytes = 10});
  EXPECT_EQ(Wait(places, 1), std::nullopt);
  EXPECT_THAT(Wait(places, 2), Optional(8.0));
  EXPECT_THAT(Wait(places, 3), Optional(8.0));
  EXPECT_EQ(Order(places), (std::vector<int64_t>{1, 2, 3}));
}

// Against a search through all times at which something ends.
TEST(ForecastTest, StartsEachJobWhenItFitsFirst) {
  constexpr Capacity kCapacity = {.workers = 3, .bytes = 10};
  // NOLINTNEXTLINE(bugprone-random-generator-seed): the same queue each time
  std::mt19937_64 random(11);
  WaitingUser user;
  for (int64_t id = 1; id <= 200; ++id) {
    user.jobs.push_back(Large(id, static_cast<double>(1 + (random() % 50)),
                              static_cast<int64_t>(random() % 11)));
  }
  const Places places = Forecast(Snapshot({user}), kCapacity);
  std::vector<std::pair<double, WaitingJob>> started;
  const auto fits = [&](const WaitingJob& job, double time) {
    int workers = kCapacity.workers;
    int64_t bytes = kCapacity.bytes.value_or(0);
    for (const auto& [start, other] : started) {
      if (start + other.seconds.value_or(0) <= time) continue;
      --workers;
      bytes -= other.bytes;
    }
    return workers > 0 && bytes >= job.bytes;
  };
  for (const WaitingJob& job : user.jobs) {
    const double after = started.empty() ? 0 : started.back().first;
    double expected = std::numeric_limits<double>::infinity();
    if (fits(job, after)) expected = after;
    for (const auto& [start, other] : started) {
      const double end = start + other.seconds.value_or(0);
      if (end > after && fits(job, end)) expected = std::min(expected, end);
    }
    EXPECT_THAT(Wait(places, job.id), Optional(expected)) << job.id;
    started.emplace_back(expected, job);
  }
}

TEST(ForecastTest, LetsUsersHoldNoMoreThanTheyMay) {
  QueueSnapshot snapshot =
      Snapshot({{.name = "alice", .jobs = {Job(1), Job(2), Job(3)}},
                {.name = "bob", .seconds = 99, .jobs = {Job(4, 25), Job(5)}}});
  snapshot.jobs_per_user = 1;
  const Places places = Forecast(snapshot, Workers(4));
  EXPECT_THAT(Order(places), ElementsAre(1, 4, 2, 3, 5));
  EXPECT_THAT(Wait(places, 1), Optional(0.0));
  EXPECT_THAT(Wait(places, 2), Optional(10.0));
  EXPECT_THAT(Wait(places, 3), Optional(20.0));
  EXPECT_THAT(Wait(places, 4), Optional(0.0));
  EXPECT_THAT(Wait(places, 5), Optional(25.0));
}

TEST(ForecastTest, CountsWhatUsersHoldAlready) {
  QueueSnapshot snapshot =
      Snapshot({{.name = "alice", .held_count = 2, .jobs = {Job(1)}},
                {.name = "bob", .held_count = 1, .jobs = {Job(2), Job(3)}}},
               {{.owner = "alice", .seconds = 7},
                {.owner = "alice", .seconds = 9},
                {.owner = "bob", .seconds = {}},
                {.owner = "carol", .seconds = 1}});
  snapshot.jobs_per_user = 1;
  const Places places = Forecast(snapshot, Workers(9));
  EXPECT_THAT(Wait(places, 1), Optional(9.0));
  // Nobody knows how long bob holds his.
  EXPECT_EQ(Wait(places, 2), std::nullopt);
  EXPECT_EQ(Wait(places, 3), std::nullopt);
  EXPECT_THAT(Order(places), ElementsAre(1, 2, 3));
}

// Users who wait, looked at every second; jobs take whole seconds.
class SlowForecast {
 public:
  SlowForecast(QueueSnapshot snapshot, Capacity capacity)
      : snapshot_(std::move(snapshot)), capacity_(capacity) {
    for (const WaitingUser& user : snapshot_.users)
      waiting_ += user.jobs.size();
  }

  std::unordered_map<int64_t, double> Starts() {
    for (; waiting_ > 0; ++now_) {
      while (StartOne()) {
      }
    }
    return starts_;
  }

 private:
  struct Started {
    const WaitingUser* user;
    WaitingJob job;
    double end;
  };

  int CountOf(const WaitingUser* user) const {
    return static_cast<int>(std::ranges::count_if(started_, [&](const auto& s) {
      return s.end > now_ && (user == nullptr || s.user == user);
    }));
  }

  bool HasRoom(const WaitingJob& job) const {
    int64_t bytes = job.bytes;
    for (const Started& other : started_) {
      if (other.end > now_) bytes += other.job.bytes;
    }
    return CountOf(nullptr) < capacity_.workers &&
           bytes <= capacity_.bytes.value_or(0);
  }

  bool StartOne() {
    WaitingUser* next = nullptr;
    const auto key = [](const WaitingUser& user) {
      return std::tuple(-user.jobs.front().rank, user.seconds / user.weight,
                        user.held_count, user.jobs.front().id);
    };
    for (WaitingUser& user : snapshot_.users) {
      if (user.jobs.empty() || CountOf(&user) >= snapshot_.jobs_per_user) {
        continue;
      }
      if (next == nullptr || key(user) < key(*next)) next = &user;
    }
    if (next == nullptr || !HasRoom(next->jobs.front())) return false;
    const WaitingJob job = next->jobs.front();
    next->jobs.erase(next->jobs.begin());
    next->seconds += job.seconds.value_or(0);
    ++next->held_count;
    --waiting_;
    starts_[job.id] = now_;
    started_.push_back(
        {.user = next, .job = job, .end = now_ + job.seconds.value_or(0)});
    return true;
  }

  QueueSnapshot snapshot_;
  Capacity capacity_;
  double now_ = 0;
  size_t waiting_ = 0;
  std::vector<Started> started_;
  std::unordered_map<int64_t, double> starts_;
};

TEST(ForecastTest, IsWhatHappensSecondBySecond) {
  constexpr Capacity kCapacity = {.workers = 5, .bytes = 20};
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    QueueSnapshot snapshot = Snapshot({});
    snapshot.jobs_per_user = 1 + static_cast<int64_t>(seed % 3);
    for (int64_t user = 0; user < 4; ++user) {
      WaitingUser waiting{.name = absl::StrCat(user),
                          .weight = 1 + static_cast<double>(random() % 3)};
      for (int64_t i = 0; i < 30; ++i) {
        waiting.jobs.push_back(Large((100 * user) + i,
                                     static_cast<double>(1 + (random() % 30)),
                                     static_cast<int64_t>(random() % 12)));
      }
      snapshot.users.push_back(std::move(waiting));
    }
    const Places places = Forecast(snapshot, kCapacity);
    for (const auto& [job, start] :
         SlowForecast(snapshot, kCapacity).Starts()) {
      EXPECT_THAT(Wait(places, job), Optional(start)) << job << " of " << seed;
    }
  }
}

// The queue itself, emptied into workers that hold what they get.
TEST(ForecastTest, IsInTheOrderOfTheQueue) {
  TemporaryDirectory directory;
  const auto database = *Database::Open(directory.path() / "moeprobe.db");
  absl::Time now = Start();
  const auto clock = [&] { return now; };
  JobStore jobs(database.get(), [](int64_t) {}, clock);
  JobQueue queue(database.get(), [](int64_t) {}, clock, {}, clock);
  ShareStore shares(database.get(), clock);
  ASSERT_TRUE(shares.SetWeight("bob", 2.5).ok());
  // NOLINTNEXTLINE(bugprone-random-generator-seed): the same queue each time
  std::mt19937_64 random(7);
  for (int i = 0; i < 40; ++i) {
    NewJob job;
    job.access.owner = std::vector{"alice", "bob", "carol"}[random() % 3];
    job.priority = static_cast<JobPriority>(random() % 3);
    job.request_key = absl::StrCat(i);
    job.parts = {{.prefix = ""}};
    job.groups = {{.part = 0, .layer = 0, .probe = "routing", .key = ""}};
    job.needs.seconds = static_cast<double>(random() % 100);
    ASSERT_TRUE(jobs.Create(job).ok());
    now += absl::Hours(1);
  }
  const std::vector<int64_t> expected =
      Order(Forecast(*queue.Snapshot(), Workers(1)));
  std::vector<int64_t> found;
  while (const auto next = *queue.NextQueued()) {
    found.push_back(next->id);
    ASSERT_TRUE(queue.Start(next->id, next->id, next->needs).ok());
  }
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace moeprobe

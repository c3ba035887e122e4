#include "storage/queue_forecast.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
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
                       std::vector<std::optional<double>> held = {}) {
  return {.time = Start(),
          .users = std::move(users),
          .held_seconds = std::move(held)};
}

WaitingJob Job(int64_t id, std::optional<double> seconds = 10, int rank = 1) {
  return {.id = id, .rank = rank, .seconds = seconds};
}

TEST(ForecastTest, SaysNothingOfAnEmptyQueue) {
  EXPECT_THAT(Forecast(Snapshot({}), 1), IsEmpty());
}

TEST(ForecastTest, AddsUpWhatIsAhead) {
  const Places places = Forecast(
      Snapshot({{.jobs = {Job(1, 10), Job(2, 20), Job(3, 5)}}}, {7}), 1);
  EXPECT_THAT(Order(places), ElementsAre(1, 2, 3));
  EXPECT_THAT(Wait(places, 1), Optional(7.0));
  EXPECT_THAT(Wait(places, 2), Optional(17.0));
  EXPECT_THAT(Wait(places, 3), Optional(37.0));
}

TEST(ForecastTest, GivesJobsToTheWorkerThatIsFreeFirst) {
  const Places places = Forecast(
      Snapshot({{.jobs = {Job(1, 10), Job(2, 20), Job(3, 5)}}}, {30}), 2);
  EXPECT_THAT(Wait(places, 1), Optional(0.0));
  EXPECT_THAT(Wait(places, 2), Optional(10.0));
  EXPECT_THAT(Wait(places, 3), Optional(30.0));
}

TEST(ForecastTest, TellsNothingWhereNobodyKnows) {
  // Of what runs, and no other worker is there.
  Places places = Forecast(Snapshot({{.jobs = {Job(1)}}}, {std::nullopt}), 1);
  EXPECT_EQ(places[1].jobs_ahead, 0);
  EXPECT_EQ(Wait(places, 1), std::nullopt);
  // Of what is ahead.
  places = Forecast(Snapshot({{.jobs = {Job(1, std::nullopt), Job(2)}}}), 1);
  EXPECT_THAT(Wait(places, 1), Optional(0.0));
  EXPECT_EQ(Wait(places, 2), std::nullopt);
  // But another worker is known to be free.
  places = Forecast(Snapshot({{.jobs = {Job(1, std::nullopt), Job(2)}}}), 2);
  EXPECT_THAT(Wait(places, 2), Optional(0.0));
  // No worker at all.
  places = Forecast(Snapshot({{.jobs = {Job(1)}}}), 0);
  EXPECT_EQ(Wait(places, 1), std::nullopt);
}

TEST(ForecastTest, LetsUsersTakeTurnsByWeight) {
  const Places places =
      Forecast(Snapshot({{.jobs = {Job(1), Job(2), Job(3)}},
                         {.weight = 2, .jobs = {Job(4), Job(5), Job(6)}}}),
               1);
  EXPECT_THAT(Order(places), ElementsAre(1, 4, 5, 2, 6, 3));
}

TEST(ForecastTest, TakesRanksFirst) {
  const Places places =
      Forecast(Snapshot({{.jobs = {Job(4, 10, 1), Job(1, 10, 0)}},
                         {.seconds = 99, .jobs = {Job(3, 10, 2), Job(2)}}}),
               1);
  EXPECT_THAT(Order(places), ElementsAre(3, 4, 2, 1));
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
  const std::vector<int64_t> expected = Order(Forecast(*queue.Snapshot(), 1));
  std::vector<int64_t> found;
  while (const auto next = *queue.NextQueued()) {
    found.push_back(next->id);
    ASSERT_TRUE(queue.Start(next->id, next->id, next->needs).ok());
  }
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace moeprobe

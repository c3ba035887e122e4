#include "server/memory_schedule.h"

#include <gtest/gtest.h>
// After gtest.h, which it needs.
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "storage/job.h"
#include "storage/job_queue.h"

namespace moeprobe {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using Clock = MemorySchedule::Clock;

constexpr int64_t kBudget = 10;
constexpr int64_t kNext = 7;  // the job that goes next

Clock::time_point At(int second) {
  return Clock::time_point(seconds(1000 + second));
}

HeldMemory Held(int64_t job, int64_t bytes, int start, std::optional<int> end) {
  return {.job = job,
          .bytes = bytes,
          .start = At(start),
          .end = end ? std::optional(At(*end)) : std::nullopt};
}

JobNeeds Needs(int64_t bytes, std::optional<double> length = 1000) {
  return {.seconds = length, .memory_bytes = bytes};
}

class MemoryScheduleTest : public testing::Test {
 protected:
  // Whether a job may go before the next one.
  bool MayPass(const JobNeeds& needs, const std::vector<HeldMemory>& held,
               int now) {
    const auto room = schedule_.RoomBehind(held, At(now));
    return !room || Fits(needs, *room);
  }

  // The job that waits for memory; number 0 if there is none.
  MemorySchedule::Kept kept() const {
    return schedule_.kept().value_or(MemorySchedule::Kept());
  }

  MemorySchedule schedule_{kBudget};
};

TEST_F(MemoryScheduleTest, LetsInWhatFits) {
  EXPECT_TRUE(schedule_.MayStart(kNext, kBudget, {}, At(0)));
  EXPECT_TRUE(schedule_.MayStart(kNext, 4, {Held(1, 6, 0, 9)}, At(0)));
  EXPECT_FALSE(schedule_.kept());
  EXPECT_FALSE(schedule_.MayStart(kNext, 5, {Held(1, 6, 0, 9)}, At(0)));
  EXPECT_EQ(kept().job, kNext);
  EXPECT_EQ(kept().bytes, 5);
}

TEST_F(MemoryScheduleTest, LetsInEverythingWithoutABudget) {
  MemorySchedule schedule(0);
  EXPECT_TRUE(schedule.MayStart(kNext, 1'000, {Held(1, 6, 0, 9)}, At(0)));
  EXPECT_FALSE(schedule.RoomBehind({}, At(0)));
  EXPECT_TRUE(schedule.Check(1'000).ok());
}

TEST_F(MemoryScheduleTest, RefusesWhatCanNeverRun) {
  EXPECT_TRUE(schedule_.Check(kBudget).ok());
  const absl::Status refused = schedule_.Check(kBudget + 1);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("take 11 bytes"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("than the 10 ("));
}

TEST_F(MemoryScheduleTest, TakesPinsOutOfTheBudget) {
  const std::vector<HeldMemory> held = {Held(1, 6, 0, 9)};
  ASSERT_TRUE(schedule_.AddPinned(4, held, std::nullopt).ok());
  EXPECT_EQ(schedule_.job_bytes(), 6);
  EXPECT_TRUE(schedule_.MayStart(kNext, 6, {}, At(0)));
  EXPECT_FALSE(schedule_.MayStart(kNext, 7, {}, At(0)));
  EXPECT_FALSE(schedule_.Check(7).ok());
  schedule_.RemovePinned(4);
  EXPECT_TRUE(schedule_.MayStart(kNext, kBudget, {}, At(0)));
}

TEST_F(MemoryScheduleTest, TakesBackWhatIsPinnedHoweverMuchWaits) {
  const LargestJob largest{.job = kNext, .bytes = 20};
  ASSERT_TRUE(schedule_.AddPinned(4, {}, std::nullopt).ok());
  EXPECT_TRUE(schedule_.AddPinned(-3, {Held(1, 6, 0, 9)}, largest).ok());
  EXPECT_EQ(schedule_.job_bytes(), 9);
}

TEST_F(MemoryScheduleTest, PinsNothingThatJobsHoldOrWaitFor) {
  const absl::Status held =
      schedule_.AddPinned(5, {Held(1, 6, 0, 9)}, std::nullopt);
  EXPECT_EQ(held.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(held.message()), HasSubstr("hold 6"));
  const absl::Status waits =
      schedule_.AddPinned(5, {}, LargestJob{.job = kNext, .bytes = 6});
  EXPECT_EQ(waits.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(waits.message()), HasSubstr("jobs/7, which waits"));
  EXPECT_EQ(schedule_.job_bytes(), kBudget);
}

// 6 of 10 are held until 100, by a job that began before another waits for 8.
TEST_F(MemoryScheduleTest, LetsThoseGoFirstThatCostTheNextNothing) {
  std::vector<HeldMemory> held = {Held(1, 6, 0, 100)};
  ASSERT_FALSE(schedule_.MayStart(kNext, 8, held, At(10)));
  EXPECT_TRUE(MayPass(Needs(2), held, 10));      // there is room for both
  EXPECT_FALSE(MayPass(Needs(3), held, 10));     // but not for these
  EXPECT_TRUE(MayPass(Needs(4, 90), held, 10));  // it ends before
  EXPECT_FALSE(MayPass(Needs(4, 91), held, 10));
  EXPECT_FALSE(MayPass(Needs(4, std::nullopt), held, 10));
  EXPECT_FALSE(MayPass(Needs(5, 1), held, 10));  // does not fit now
  EXPECT_FALSE(MayPass({}, held, 10));           // nobody knows
  // What has gone first takes its part of the room.
  held.push_back(Held(2, 2, 10, std::nullopt));
  EXPECT_FALSE(MayPass(Needs(1), held, 11));
  EXPECT_TRUE(MayPass(Needs(2, 9), held, 11));
}

TEST_F(MemoryScheduleTest, PutsNobodyOffByWrongEstimates) {
  std::vector<HeldMemory> held = {Held(1, 6, 0, 100)};
  ASSERT_FALSE(schedule_.MayStart(kNext, 8, held, At(10)));
  held.push_back(Held(2, 4, 50, 90));
  // Both take longer than expected, so nobody can tell when there is room.
  ASSERT_FALSE(schedule_.MayStart(kNext, 8, held, At(120)));
  EXPECT_EQ(kept().start, At(100));
  held.pop_back();
  EXPECT_FALSE(MayPass(Needs(4, 1), held, 120));
  // Another that goes next begins anew.
  ASSERT_FALSE(schedule_.MayStart(kNext + 1, 8, held, At(130)));
  EXPECT_EQ(kept().job, kNext + 1);
  EXPECT_EQ(kept().start, std::nullopt);
}

TEST_F(MemoryScheduleTest, ExpectsRoomWhenEnoughHasEnded) {
  const std::vector<HeldMemory> held = {Held(1, 3, 0, 50), Held(2, 3, 0, 30),
                                        Held(3, 3, 0, std::nullopt)};
  ASSERT_FALSE(schedule_.MayStart(1, 4, held, At(1)));
  EXPECT_EQ(kept().start, At(30));
  ASSERT_FALSE(schedule_.MayStart(2, 7, held, At(1)));
  EXPECT_EQ(kept().start, At(50));
  ASSERT_FALSE(schedule_.MayStart(3, 8, held, At(1)));
  EXPECT_EQ(kept().start, std::nullopt);
}

// A queue in order, workers, and jobs that take what they do, whatever was
// expected of them; second by second.
struct SimulatedJob {
  int64_t bytes = 0;
  int seconds = 0;
  std::optional<double> expected;
};

class Simulation {
 public:
  Simulation(const std::vector<SimulatedJob>& jobs, size_t workers)
      : jobs_(jobs), workers_(workers) {
    for (size_t i = 0; i < jobs.size(); ++i) {
      waiting_.push_back(static_cast<int64_t>(i));
    }
  }

  void Run() {
    for (; !waiting_.empty() || !running_.empty(); ++now_) {
      std::erase_if(running_, [&](const auto& task) {
        return task.first.start + seconds(task.second) <= At(now_);
      });
      while (running_.size() < workers_ && StartOne()) Look();
    }
  }

  std::map<int64_t, int> starts;
  std::map<int64_t, int> first_refusals;
  std::map<int64_t, int> expected_starts;  // fixed at the first refusal
  int64_t most_bytes = 0;

 private:
  std::vector<HeldMemory> held() const {
    std::vector<HeldMemory> held;
    held.reserve(running_.size());
    for (const auto& [task, length] : running_) held.push_back(task);
    return held;
  }

  void Look() { most_bytes = std::max(most_bytes, BytesOf(held())); }

  bool StartOne() {
    if (waiting_.empty()) return false;
    const int64_t next = waiting_.front();
    const int64_t bytes = JobAt(next).bytes;
    if (schedule_.MayStart(next, bytes, held(), At(now_))) return Start(next);
    const auto kept = schedule_.kept();
    const auto room = schedule_.RoomBehind(held(), At(now_));
    if (!kept || !room) throw std::logic_error("refused for nothing");
    if (first_refusals.emplace(next, now_).second && kept->start) {
      expected_starts[next] = static_cast<int>(
          std::chrono::duration_cast<seconds>(*kept->start - At(0)).count());
    }
    for (const int64_t job : waiting_) {
      const JobNeeds needs = Needs(JobAt(job).bytes, JobAt(job).expected);
      if (job != next && Fits(needs, *room)) return Start(job);
    }
    return false;
  }

  bool Start(int64_t job) {
    const SimulatedJob& what = JobAt(job);
    const auto end =
        what.expected
            ? std::optional(At(now_ + static_cast<int>(*what.expected)))
            : std::nullopt;
    running_.emplace_back(
        HeldMemory{
            .job = job, .bytes = what.bytes, .start = At(now_), .end = end},
        what.seconds);
    std::erase(waiting_, job);
    starts[job] = now_;
    return true;
  }

  const SimulatedJob& JobAt(int64_t job) const {
    return jobs_[static_cast<size_t>(job)];
  }

  const std::vector<SimulatedJob>& jobs_;
  size_t workers_;
  MemorySchedule schedule_{kBudget};
  std::vector<int64_t> waiting_;
  std::vector<std::pair<HeldMemory, int>> running_;
  int now_ = 0;
};

rc::Gen<SimulatedJob> AnyJob() {
  return rc::gen::apply(
      [](int64_t bytes, int length, int expected) {
        return SimulatedJob{.bytes = bytes,
                            .seconds = length,
                            .expected = expected == 0
                                            ? std::nullopt
                                            : std::optional<double>(expected)};
      },
      rc::gen::inRange<int64_t>(0, kBudget + 1), rc::gen::inRange(1, 40),
      rc::gen::inRange(0, 40));
}

// All jobs run, never beyond the budget; and the one that goes next waits for
// no longer than what ran when memory began to be kept for it, and what began
// before it was expected to start, takes.
RC_GTEST_PROP(MemoryScheduleProperty, StarvesNobodyAndKeepsToTheBudget, ()) {
  const auto jobs =
      *rc::gen::resize(rc::kNominalSize,
                       rc::gen::container<std::vector<SimulatedJob>>(AnyJob()));
  const auto workers = *rc::gen::inRange<size_t>(1, 6);
  Simulation simulation(jobs, workers);
  simulation.Run();
  RC_CLASSIFY(!simulation.first_refusals.empty(), "some wait for memory");
  RC_CLASSIFY(!simulation.expected_starts.empty(), "some know how long");
  RC_ASSERT(simulation.starts.size() == jobs.size());
  RC_ASSERT(simulation.most_bytes <= kBudget);
  for (const auto& [job, refused] : simulation.first_refusals) {
    const auto found = simulation.expected_starts.find(job);
    const int fixed =
        found == simulation.expected_starts.end() ? refused : found->second;
    int bound = refused;
    for (const auto& [other, start] : simulation.starts) {
      const bool counts = start <= refused || start < fixed;
      if (other == job || !counts) continue;
      bound = std::max(bound, start + jobs[static_cast<size_t>(other)].seconds);
    }
    RC_ASSERT(simulation.starts.at(job) <= bound);
  }
}

}  // namespace
}  // namespace moeprobe

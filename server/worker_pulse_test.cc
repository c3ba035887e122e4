#include "server/worker_pulse.h"

#include <chrono>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr WorkerPulse::Clock::time_point kStart{};

TEST(WorkerPulseTest, CountsWorkersThatWereHeardOf) {
  WorkerPulse pulse;
  EXPECT_EQ(pulse.AnsweringCount(kStart), 0);
  pulse.Beat(1, kStart);
  pulse.Beat(2, kStart);
  pulse.Beat(2, kStart);
  EXPECT_EQ(pulse.AnsweringCount(kStart), 2);
}

TEST(WorkerPulseTest, LosesPatienceWithASilentWorker) {
  WorkerPulse pulse;
  pulse.Beat(1, kStart);
  pulse.Beat(2, kStart + std::chrono::seconds(10));
  EXPECT_EQ(pulse.AnsweringCount(kStart + WorkerPulse::kPatience), 1);
  pulse.Beat(1, kStart + WorkerPulse::kPatience);
  EXPECT_EQ(pulse.AnsweringCount(kStart + WorkerPulse::kPatience), 2);
}

TEST(WorkerPulseTest, KnowsWhoHasBeenSilentForTooLong) {
  WorkerPulse pulse;
  const std::chrono::seconds lease(60);
  pulse.Beat(1, kStart);
  EXPECT_FALSE(pulse.IsSilent(1, lease, kStart + std::chrono::seconds(59)));
  EXPECT_TRUE(pulse.IsSilent(1, lease, kStart + lease));
  pulse.Beat(1, kStart + lease);
  EXPECT_FALSE(pulse.IsSilent(1, lease, kStart + lease));
  EXPECT_FALSE(pulse.IsSilent(2, lease, kStart + lease));
}

// A worker whose call waits for the disk lives.
TEST(WorkerPulseTest, IsPatientWithAWorkerThatWaitsForACall) {
  WorkerPulse pulse;
  const std::chrono::seconds lease(60);
  const auto much_later = WorkerPulse::Clock::now() + 10 * lease;
  {
    const WorkerPulse::Call call(&pulse, 1);
    EXPECT_FALSE(pulse.IsSilent(1, lease, much_later));
    EXPECT_THAT(pulse.Silent(lease, much_later), IsEmpty());
  }
  EXPECT_FALSE(pulse.IsSilent(1, lease));
  EXPECT_TRUE(pulse.IsSilent(1, lease, much_later));
  EXPECT_THAT(pulse.Silent(lease, much_later), ElementsAre(1));
}

TEST(WorkerPulseTest, HearsNothingOfAWorkerThatEndsInACall) {
  WorkerPulse pulse;
  {
    const WorkerPulse::Call call(&pulse, 1);
    pulse.End(1);
  }
  EXPECT_EQ(pulse.AnsweringCount(), 0);
}

TEST(WorkerPulseTest, ForgetsAWorkerThatEnded) {
  WorkerPulse pulse;
  pulse.Beat(1, kStart);
  pulse.End(1);
  EXPECT_EQ(pulse.AnsweringCount(kStart), 0);
}

}  // namespace
}  // namespace moeprobe

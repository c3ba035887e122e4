#include "server/worker_pulse.h"

#include <chrono>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

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

TEST(WorkerPulseTest, ForgetsAWorkerThatEnded) {
  WorkerPulse pulse;
  pulse.Beat(1, kStart);
  pulse.End(1);
  EXPECT_EQ(pulse.AnsweringCount(kStart), 0);
}

}  // namespace
}  // namespace moeprobe

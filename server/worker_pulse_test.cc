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

TEST(WorkerPulseTest, ForgetsAWorkerThatEnded) {
  WorkerPulse pulse;
  pulse.Beat(1, kStart);
  pulse.End(1);
  EXPECT_EQ(pulse.AnsweringCount(kStart), 0);
}

}  // namespace
}  // namespace moeprobe

#include "server/repeated_call.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(RepeatedCallTest, CallsUntilItEnds) {
  std::atomic<int> count = 0;
  {
    const RepeatedCall call(std::chrono::milliseconds(1), [&] { ++count; });
    while (count < 3) std::this_thread::yield();
  }
  const int at_end = count;
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(count, at_end);
}

TEST(RepeatedCallTest, EndsWithoutWaitingForThePause) {
  const auto start = std::chrono::steady_clock::now();
  {
    const RepeatedCall call(std::chrono::hours(1), [] {});
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::minutes(1));
}

}  // namespace
}  // namespace moeprobe

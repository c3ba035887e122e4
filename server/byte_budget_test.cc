#include "server/byte_budget.h"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(ByteBudgetTest, LetsInWhatFits) {
  ByteBudget budget(10);
  const ByteBudget::Share first(budget, 6), second(budget, 4);
}

TEST(ByteBudgetTest, LetsWhatIsTooLargeBeAlone) {
  ByteBudget budget(10);
  std::optional<ByteBudget::Share> small(std::in_place, budget, 1);
  std::atomic<bool> is_alone = false;
  std::thread large([&] {
    const ByteBudget::Share share(budget, 100);
    EXPECT_TRUE(is_alone);
  });
  is_alone = true;
  small.reset();
  large.join();
}

TEST(ByteBudgetTest, NeverGivesOutMoreThanThereIs) {
  ByteBudget budget(10);
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, bytes = 1 + i % 5] {
      for (int times = 0; times < 200; ++times) {
        const ByteBudget::Share share(budget, bytes);
        EXPECT_LE(taken += bytes, 10);
        taken -= bytes;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace moeprobe

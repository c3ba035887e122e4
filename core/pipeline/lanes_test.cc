#include "core/pipeline/lanes.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linspace.h>
#include <c10/core/ScalarType.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <set>
#include <thread>
#include <tuple>
#include <vector>

#include "core/base/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

class LanesTest : public testing::Test {
 protected:
  LanesTest() { at::set_num_threads(3); }
  ~LanesTest() override { at::set_num_threads(before_); }

 private:
  int before_ = at::get_num_threads();
};

// Large enough that LibTorch and MKL would divide it.
at::Tensor Compute(int64_t number) {
  const at::Tensor x =
      at::linspace(-1, static_cast<double>(number + 1), 120'000, at::kFloat)
          .sin()
          .view({300, 400});
  const at::Tensor gram = x.matmul(x.t());
  return std::get<0>(at::linalg_eigh(gram)).add(x.pow(3).sum());
}

TEST_F(LanesTest, VisitsEachOnceWithOneThread) {
  std::vector<std::atomic<int>> visits(9);
  RunInLanes(9, 2, [&](int64_t i) {
    ++visits[static_cast<size_t>(i)];
    EXPECT_EQ(at::get_num_threads(), 1);
  });
  for (const std::atomic<int>& visit : visits) EXPECT_EQ(visit, 1);
}

TEST_F(LanesTest, BeginsInOrder) {
  std::vector<int64_t> order;
  RunInLanes(5, 1, [&](int64_t i) { order.push_back(i); });
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(LanesTest, HasNoMoreThreadsThanThereIsToDo) {
  Mutex mutex;
  std::set<std::thread::id> threads;
  RunInLanes(1, 8, [&](int64_t) {
    const MutexLock lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(threads.size(), 1U);
  RunInLanes(0, 8, [](int64_t) { FAIL(); });
}

TEST_F(LanesTest, KeepsTheNumberOfThreadsOutside) {
  RunInLanes(4, 4, [](int64_t) { at::set_num_threads(1); });
  EXPECT_EQ(at::get_num_threads(), 3);
  int later = 0;
  std::jthread([&] { later = at::get_num_threads(); }).join();
  EXPECT_EQ(later, 3);
}

// Whatever other threads do meanwhile.
TEST_F(LanesTest, ComputesTheBytesOfOneThread) {
  constexpr int64_t kCount = 4;
  std::vector<at::Tensor> lanes(kCount);
  RunInLanes(kCount, 4, [&](int64_t i) {
    std::jthread([] { at::set_num_threads(2); }).join();
    lanes[static_cast<size_t>(i)] = Compute(i);
  });
  at::set_num_threads(1);
  for (int64_t i = 0; i < kCount; ++i) {
    EXPECT_TRUE(lanes[static_cast<size_t>(i)].equal(Compute(i))) << i;
  }
}

}  // namespace
}  // namespace moeprobe

#include "core/tensor/concurrent_loop.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_eigvalsh.h>
#include <ATen/ops/randn.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr int64_t kMebibyte = int64_t{1} << 20;
constexpr absl::Duration kPatience = absl::Milliseconds(50);

class ConcurrentLoopTest : public testing::Test {
 protected:
  ConcurrentLoopTest() { at::set_num_threads(4); }
  ~ConcurrentLoopTest() override { at::set_num_threads(before_); }

  // Runs twelve calls and returns how many were under way at once, at most.
  // Each waits a little for another one to come.
  static int64_t LargestOverlap(int64_t bytes_each) {
    std::atomic<int64_t> running = 0;
    std::atomic<bool> met = false;
    std::vector<int64_t> seen(12);
    ConcurrentLoop(12, bytes_each, [&](int64_t i) {
      int64_t& most = seen[static_cast<size_t>(i)];
      ++running;
      const absl::Time deadline = absl::Now() + kPatience;
      while (!met && absl::Now() < deadline) {
        most = std::max<int64_t>(most, running);
        if (most > 1) met = true;
      }
      most = std::max<int64_t>(most, running);
      --running;
    });
    return *std::ranges::max_element(seen);
  }

 private:
  int before_ = at::get_num_threads();
};

TEST_F(ConcurrentLoopTest, VisitsEachOnce) {
  for (const int64_t count : {0, 1, 3, 4, 50}) {
    std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
    ConcurrentLoop(count, kMebibyte,
                   [&](int64_t i) { ++visits[static_cast<size_t>(i)]; });
    for (const auto& visited : visits) EXPECT_EQ(visited, 1);
  }
}

// Not so where the compiler was not told of OpenMP.
TEST_F(ConcurrentLoopTest, RunsSeveralAtOnce) {
  EXPECT_GE(LargestOverlap(kMebibyte), 2);
}

TEST_F(ConcurrentLoopTest, RunsNoMoreAtOnceThanFit) {
  EXPECT_LE(LargestOverlap(400 * kMebibyte), 2);
  EXPECT_EQ(LargestOverlap(600 * kMebibyte), 1);
  EXPECT_EQ(LargestOverlap(5000 * kMebibyte), 1);
}

TEST_F(ConcurrentLoopTest, GivesALoneCallAllThreads) {
  int threads = 0;
  ConcurrentLoop(1, kMebibyte, [&](int64_t) {
    threads = at::in_parallel_region() ? 1 : at::get_num_threads();
  });
  EXPECT_EQ(threads, 4);
}

void RunUntilTheFifthThrows() {
  ConcurrentLoop(8, kMebibyte, [](int64_t i) {
    if (i == 5) throw std::runtime_error("five");
  });
}

TEST_F(ConcurrentLoopTest, ThrowsWhatACallThrows) {
  EXPECT_THROW(RunUntilTheFifthThrows(), std::runtime_error);
}

// A decomposition inside is the one outside: large enough for a library to
// want several threads.
TEST_F(ConcurrentLoopTest, LeavesEigenvaluesRight) {
  at::manual_seed(1);
  const at::Tensor rows = at::randn({700, 512}, at::kDouble);
  const at::Tensor matrix = rows.t().mm(rows);
  const at::Tensor expected = at::linalg_eigvalsh(matrix);
  std::vector<double> error(4);
  ConcurrentLoop(4, kMebibyte, [&](int64_t i) {
    error[static_cast<size_t>(i)] =
        (at::linalg_eigvalsh(matrix) - expected).abs().max().item<double>();
  });
  // The rounding of a full decomposition, relative to the largest, 2,400.
  for (const double found : error) EXPECT_LT(found, 1e-9);
  EXPECT_EQ(at::get_num_threads(), 4);
}

}  // namespace
}  // namespace moeprobe

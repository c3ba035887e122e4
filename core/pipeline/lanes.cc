#include "core/pipeline/lanes.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace moeprobe {
namespace {

// Lets the calling thread, a new one, compute with no other. LibTorch gives a
// thread the number of threads that was set last, by whichever thread, when it
// first asks for it; from then on the thread has a number of its own, for
// OpenMP as for MKL.
void ComputeAlone() {
  at::get_num_threads();
  at::set_num_threads(1);
}

}  // namespace

void RunInLanes(int64_t count, int threads,
                const std::function<void(int64_t)>& visit) {
  const int threads_here = at::get_num_threads();
  std::atomic<int64_t> next = 0;
  {
    std::vector<std::jthread> lanes;
    for (int64_t lane = 0; lane < std::min<int64_t>(count, threads); ++lane) {
      lanes.emplace_back([&] {
        ComputeAlone();
        for (int64_t i = next++; i < count; i = next++) visit(i);
      });
    }
  }
  at::set_num_threads(threads_here);  // also for threads that begin later
}

}  // namespace moeprobe

#include "core/tensor/concurrent_loop.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "absl/functional/function_ref.h"

namespace moeprobe {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 30;

// Gives the calling thread its number of threads back.
class ThreadCountRestorer {
 public:
  ThreadCountRestorer() : threads_(at::get_num_threads()) {}
  ~ThreadCountRestorer() { at::set_num_threads(threads_); }
  ThreadCountRestorer(const ThreadCountRestorer&) = delete;
  ThreadCountRestorer& operator=(const ThreadCountRestorer&) = delete;

 private:
  int threads_;
};

}  // namespace

void ConcurrentLoop(int64_t count, int64_t bytes_each,
                    absl::FunctionRef<void(int64_t)> visit) {
  const int64_t fitting = kMaxBytes / std::max<int64_t>(bytes_each, 1);
  const auto lanes = std::min<int64_t>({count, fitting, at::get_num_threads()});
  if (lanes <= 1) {
    for (int64_t i = 0; i < count; ++i) visit(i);
    return;
  }
  // Problems differ in size: each lane takes the next one when it is free.
  std::atomic<int64_t> next = 0;
  const ThreadCountRestorer restorer;
  at::parallel_for(0, lanes, /*grain_size=*/1, [&](int64_t, int64_t) {
    // MKL does not see that it is called by one of several threads: it would
    // divide an eigenproblem among threads that it does not get, and return
    // wrong eigenvalues, or never return. The number is that of this thread.
    at::set_num_threads(1);
    for (int64_t i = next++; i < count; i = next++) visit(i);
  });
}

}  // namespace moeprobe

#include "bench/repeated_runs.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace moeprobe {

double Seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double> elapsed =
      std::chrono::steady_clock::now() - begin;
  return elapsed.count();
}

double MedianSeconds(int repetitions, const std::function<void()>& work) {
  work();
  std::vector<double> seconds(static_cast<size_t>(repetitions));
  std::ranges::generate(seconds, [&] { return Seconds(work); });
  return Median(std::move(seconds));
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t upper = values.size() / 2;
  const size_t lower = (values.size() - 1) / 2;
  return (values[lower] + values[upper]) / 2;
}

}  // namespace moeprobe

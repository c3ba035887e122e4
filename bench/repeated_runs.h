#ifndef MOEPROBE_BENCH_REPEATED_RUNS_H_
#define MOEPROBE_BENCH_REPEATED_RUNS_H_

#include <functional>
#include <vector>

namespace moeprobe {

// Returns how long one call of `work` takes, in seconds by a steady clock.
double Seconds(const std::function<void()>& work);

// Calls `work` once to warm up, then `repetitions` times, and returns the
// median time of those in seconds.
double MedianSeconds(int repetitions, const std::function<void()>& work);

// Returns the median; `values` must not be empty.
double Median(std::vector<double> values);

}  // namespace moeprobe

#endif  // MOEPROBE_BENCH_REPEATED_RUNS_H_

#ifndef MOEPROBE_STORAGE_LIMITS_H_
#define MOEPROBE_STORAGE_LIMITS_H_

#include <cstdint>

namespace moeprobe {

// How much there may be of what users bring, of each of them and in all; 0: any
// amount. What is there already stays, however much it is.
struct Limits {
  int64_t queued_jobs_per_user = 20'000;
  int64_t queued_jobs = 100'000;
  int64_t running_jobs_per_user = 0;
  int64_t dataset_bytes_per_user = int64_t{64} << 30;
  int64_t dataset_bytes = int64_t{256} << 30;
  int64_t stored_bytes_per_user = int64_t{256} << 30;
  int64_t stored_bytes = int64_t{1} << 40;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_LIMITS_H_

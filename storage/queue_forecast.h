#ifndef MOEPROBE_STORAGE_QUEUE_FORECAST_H_
#define MOEPROBE_STORAGE_QUEUE_FORECAST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/time/time.h"

namespace moeprobe {

// A job that waits, as far as its turn depends on it.
struct WaitingJob {
  int64_t id = 0;
  int rank = 0;                   // priority; the higher goes first
  std::optional<double> seconds;  // that it is expected to take
  int64_t bytes = 0;              // of memory that it is known to take
};

// A job that a worker holds.
struct HeldJob {
  std::string owner = {};
  // What is left of it; nullopt: it is not known, or more than was expected.
  std::optional<double> seconds;
  int64_t bytes = 0;  // of memory that it is known to take
};

// What jobs share.
struct Capacity {
  int workers = 0;
  std::optional<int64_t> bytes;  // of memory; nullopt: any number
};

// A user whose jobs wait.
struct WaitingUser {
  std::string name = {};
  double seconds = 0;  // of workers that they had, or hold
  double weight = 1;
  int held_count = 0;                 // jobs that workers hold
  std::vector<WaitingJob> jobs = {};  // in the order in which they go
};

// What waits and what runs at one moment.
struct QueueSnapshot {
  absl::Time time = {};
  int64_t jobs_per_user = 0;  // that workers may hold at once; 0: any number
  std::vector<WaitingUser> users = {};
  std::vector<HeldJob> held = {};
};

// Where a queued job stands.
struct QueuePlace {
  int jobs_ahead = 0;                    // that wait as well and go first
  std::optional<absl::Time> start_time;  // nullopt: nobody can tell
};

// What a job counts as of which nobody can tell how long it takes, where it is
// to be decided who is next after it.
inline constexpr double kUnknownSeconds = 60;

// Says of each waiting job when it goes, if nothing else comes and each job
// takes what is expected: in the order of JobQueue, each as soon as a worker is
// free, there is memory for it and its user may hold another. A worker whose
// job takes nobody knows how long is not counted on, nor is its memory, so a
// start is unknown where no other is left. Jobs that fit and may go before one
// that waits for memory are not foreseen: they start sooner than is said here.
std::unordered_map<int64_t, QueuePlace> Forecast(const QueueSnapshot& snapshot,
                                                 const Capacity& capacity);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_QUEUE_FORECAST_H_

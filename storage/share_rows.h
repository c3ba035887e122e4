// Statements about what users had of the workers, which AttemptStore, JobQueue
// and ShareStore share; each runs inside the caller's transaction.

#ifndef MOEPROBE_STORAGE_SHARE_ROWS_H_
#define MOEPROBE_STORAGE_SHARE_ROWS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "storage/connection.h"

namespace moeprobe {

// Half of what a user had of the workers is forgotten after this time.
inline constexpr absl::Duration kUsageHalfLife = absl::Hours(24);

// What a user may have of the workers beside others who wait, and had of late.
struct Share {
  double weight = 1;   // by which the workers are divided
  double seconds = 0;  // of workers, half of which kUsageHalfLife forgets
};

// Returns the seconds that are left, when it ends, of an attempt that took so
// long: h / ln 2 at most, h being the half-life. Of one that took no time, or
// less where the clock was set back, 0.
double SecondsLeft(absl::Duration attempt);

// Returns which part of the seconds as stored is left at `now`. Where the clock
// was set back, all; the next charge makes them those of its own time.
double StoredUsageLeft(Connection& database, absl::Time now);

// Returns the shares of users as they are at `now`, but for those of users who
// had nothing and whose weight nobody said.
std::map<std::string, Share> SelectShares(Connection& database, absl::Time now);

// Charges the owner of a job at `now` for the attempt that ended at `end`, by
// SecondsLeft() and what is left of that since.
void ChargeAttempt(Connection& database, int64_t job, absl::Time end,
                   absl::Time now);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_SHARE_ROWS_H_

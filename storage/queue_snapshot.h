#ifndef MOEPROBE_STORAGE_QUEUE_SNAPSHOT_H_
#define MOEPROBE_STORAGE_QUEUE_SNAPSHOT_H_

#include "absl/time/time.h"
#include "storage/connection.h"
#include "storage/queue_forecast.h"

namespace moeprobe {

// Returns what waits and what runs, inside the caller's transaction, at `now`
// by the clock that measures attempts and `wall` by the machine's, which is the
// snapshot's time. The ranks are those of JobQueue; how many jobs a user may
// hold is left to the caller.
QueueSnapshot TakeSnapshot(Connection& database, absl::Time now,
                           absl::Time wall);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_QUEUE_SNAPSHOT_H_

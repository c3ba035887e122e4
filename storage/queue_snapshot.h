#ifndef MOEPROBE_STORAGE_QUEUE_SNAPSHOT_H_
#define MOEPROBE_STORAGE_QUEUE_SNAPSHOT_H_

#include "absl/time/time.h"
#include "storage/connection.h"
#include "storage/queue_forecast.h"

namespace moeprobe {

// Returns what waits and what runs, inside the caller's transaction. The ranks
// are those of JobQueue.
QueueSnapshot TakeSnapshot(Connection& database, absl::Time now);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_QUEUE_SNAPSHOT_H_

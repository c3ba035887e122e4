#ifndef MOEPROBE_SERVER_WATCH_REACTOR_H_
#define MOEPROBE_SERVER_WATCH_REACTOR_H_

#include <grpcpp/support/server_callback.h>

#include <cstdint>

#include "moeprobe/v1/job.pb.h"
#include "server/call_gate.h"
#include "server/job_changes.h"
#include "storage/job_store.h"

namespace moeprobe {

// What to watch. The pointers must outlive the call.
struct WatchedJob {
  JobStore* jobs = nullptr;
  JobChanges* changes = nullptr;
  int64_t job = 0;
  int64_t after_sequence = 0;
};

// Starts the answer to WatchJob: the job's events after `after_sequence`, those
// of the past and those to come, up to the one of its final state, as long as
// the caller is let in and may see the job. Takes no thread while it waits. The
// reactor deletes itself.
grpc::ServerWriteReactor<v1::JobEvent>* WatchJobEvents(
    const WatchedJob& watched, GatedCall call);

// Ends WatchJob with a status.
grpc::ServerWriteReactor<v1::JobEvent>* RefuseToWatch(
    const grpc::Status& status);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WATCH_REACTOR_H_

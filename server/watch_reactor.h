#ifndef MOEPROBE_SERVER_WATCH_REACTOR_H_
#define MOEPROBE_SERVER_WATCH_REACTOR_H_

#include <grpcpp/support/server_callback.h>

#include <cstdint>

#include "moeprobe/v1/job.pb.h"
#include "server/job_changes.h"
#include "storage/job_store.h"

namespace moeprobe {

// Starts the answer to WatchJob: the job's events after `after_sequence`, those
// of the past and those to come, up to the one of its final state. Takes no
// thread while it waits. Both arguments must outlive the call; the reactor
// deletes itself.
grpc::ServerWriteReactor<v1::JobEvent>* WatchJobEvents(JobStore* jobs,
                                                       JobChanges* changes,
                                                       int64_t job,
                                                       int64_t after_sequence);

// Ends WatchJob with a status.
grpc::ServerWriteReactor<v1::JobEvent>* RefuseToWatch(
    const grpc::Status& status);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WATCH_REACTOR_H_

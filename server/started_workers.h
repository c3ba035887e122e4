#ifndef MOEPROBE_SERVER_STARTED_WORKERS_H_
#define MOEPROBE_SERVER_STARTED_WORKERS_H_

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "moeprobe/v1/server_service.pb.h"
#include "server/local_executor.h"
#include "server/port_listener.h"
#include "server/scheduler.h"
#include "server/server_options.h"

namespace moeprobe {

// Says what keeps in the workers that a server with these options starts;
// nullopt where it starts none.
std::optional<v1::Isolation> IsolationOf(const ServerOptions& options);

// Starts the workers that a server runs itself, kept in by what the kernel has,
// each with a line to `listener`, and tells `scheduler` of their lives; both
// must outlive them. Workers make no other connection. Returns null
// where they are started by hand. Says in the log what keeps them in and what
// is missing; FailedPrecondition where that is less than the options require,
// or where their program cannot be run.
absl::StatusOr<std::unique_ptr<LocalExecutor>> StartWorkers(
    const ServerOptions& options, PortListener& listener, Scheduler& scheduler);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_STARTED_WORKERS_H_

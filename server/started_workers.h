#ifndef MOEPROBE_SERVER_STARTED_WORKERS_H_
#define MOEPROBE_SERVER_STARTED_WORKERS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/local_executor.h"
#include "server/scheduler.h"
#include "server/server_options.h"

namespace moeprobe {

// Starts the workers that a server runs itself, kept in by what the kernel has,
// and tells `scheduler`, which must outlive them, of their lives. Returns null
// where they are started by hand. Says in the log what keeps them in and what
// is missing; FailedPrecondition where that is less than the options require,
// or where their program cannot be run.
absl::StatusOr<std::unique_ptr<LocalExecutor>> StartWorkers(
    const ServerOptions& options, const std::string& worker_address,
    Scheduler& scheduler);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_STARTED_WORKERS_H_

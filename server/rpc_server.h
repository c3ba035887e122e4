#ifndef MOEPROBE_SERVER_RPC_SERVER_H_
#define MOEPROBE_SERVER_RPC_SERVER_H_

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "server/metrics/call_metrics.h"
#include "server/service_set.h"

namespace moeprobe {

// Starts a gRPC server for `services`, which must outlive it, with health and
// reflection beside them. It works on at most `max_threads` calls at the same
// time; `metrics`, which must outlive it, too, hears of every call. `configure`
// may say where it listens. Null if gRPC cannot.
std::unique_ptr<grpc::Server> StartRpcServer(
    ServiceSet& services, int max_threads, CallMetrics* metrics,
    const std::function<void(grpc::ServerBuilder&)>& configure);

// Ends a server whose connections were taken at `address`: takes no more calls,
// gives running ones so long, and waits for them. A call whose client has
// stopped reading ends with its connection.
void StopRpcServer(grpc::Server& server, const std::string& address,
                   std::chrono::milliseconds grace);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_RPC_SERVER_H_

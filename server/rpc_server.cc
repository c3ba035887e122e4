#include "server/rpc_server.h"

#include <grpc/impl/codegen/compression_types.h>
#include <grpc/impl/codegen/grpc_types.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/server_interceptor.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/accepted_connections.h"
#include "server/metrics/call_metrics.h"
#include "server/service_set.h"

namespace moeprobe {
namespace {

constexpr int kMaxMetadataBytes = 8192;

// Calls of one connection at the same time, watches among them; a client's
// library keeps the others back. Fewer than there are threads for clients: gRPC
// refuses calls that find none.
constexpr int kMaxStreams = 200;

// Of so many threads that have worked one stays and waits for calls. gRPC keeps
// two by itself, and under load ends and starts another for nearly every call;
// more than are needed at a time are slower, and have memory of their own.
constexpr int kThreadsPerIdleThread = 4;

// What gRPC may have in memory of what it reads and writes, of all connections
// of a server: close to it connections read less, and then end.
constexpr size_t kMaxTransportBytes = size_t{256} << 20;

// A connection without any call ends after this time, and a client's library
// makes another for the next call. Workers call more often.
constexpr std::chrono::milliseconds kMaxIdle{600'000};

// What a call needs to end once it is cancelled.
constexpr std::chrono::milliseconds kUnwinding{500};

void LimitResources(int max_threads, grpc::ServerBuilder& builder) {
  grpc::ResourceQuota quota;
  quota.SetMaxThreads(max_threads);
  quota.Resize(kMaxTransportBytes);
  builder.SetResourceQuota(quota);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  const int idle_threads = max_threads / kThreadsPerIdleThread;
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, idle_threads);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreams);
}

// A client that is stopped, as by Ctrl-Z, keeps its watch: nobody is asked
// whether they are there more often than gRPC does by itself, every two hours.
void LimitConnections(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS,
                             static_cast<int>(kMaxIdle.count()));
  // gRPC 1.51 says to who pings too often that it has had enough, every time
  // anew and some kilobytes each: 100 MiB of a connection that reads nothing.
  // Answers are bounded.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
}

// A message of 4 MiB may be one of 4 GiB, which gRPC would make of it before it
// looks at the size.
void RefuseCompression(grpc::ServerBuilder& builder) {
  for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
}

}  // namespace

std::unique_ptr<grpc::Server> StartRpcServer(
    ServiceSet& services, int max_threads, CallMetrics* metrics,
    const std::function<void(grpc::ServerBuilder&)>& configure) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  LimitResources(max_threads, builder);
  LimitConnections(builder);
  RefuseCompression(builder);
  configure(builder);
  for (grpc::Service* service : services.All()) {
    builder.RegisterService(service);
  }
  std::vector<
      std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>
      interceptors;
  interceptors.push_back(std::make_unique<CallTimerFactory>(metrics));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  return builder.BuildAndStart();
}

void StopRpcServer(grpc::Server& server, const std::string& address,
                   std::chrono::milliseconds grace) {
  // Not of Abseil, whose waits end by the time that may be set.
  std::promise<void> stopped;
  std::thread breaker([&, end = stopped.get_future()] {
    auto patience = grace + kUnwinding;
    while (end.wait_for(patience) == std::future_status::timeout) {
      ShutDownAcceptedConnections(address);
      patience = kUnwinding;
    }
  });
  server.Shutdown(std::chrono::system_clock::now() + grace);
  server.Wait();
  stopped.set_value();
  breaker.join();
}

}  // namespace moeprobe

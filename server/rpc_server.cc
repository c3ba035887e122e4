#include "server/rpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/server_interceptor.h>

#include <chrono>
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

// What a call needs to end once it is cancelled.
constexpr std::chrono::milliseconds kUnwinding{500};

void LimitResources(int max_threads, grpc::ServerBuilder& builder) {
  grpc::ResourceQuota quota;
  quota.SetMaxThreads(max_threads);
  builder.SetResourceQuota(quota);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
}

}  // namespace

std::unique_ptr<grpc::Server> StartRpcServer(
    ServiceSet& services, int max_threads, CallMetrics* metrics,
    const std::function<void(grpc::ServerBuilder&)>& configure) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  LimitResources(max_threads, builder);
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

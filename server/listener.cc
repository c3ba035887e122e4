#include "server/listener.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/server_interceptor.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "server/accepted_connections.h"
#include "server/listen_address.h"
#include "server/metrics/call_metrics.h"

namespace moeprobe {
namespace {

constexpr int kMaxMetadataBytes = 8192;

// What a call needs to end once it is cancelled.
constexpr absl::Duration kUnwinding = absl::Milliseconds(500);

void LimitResources(const std::string& name, int max_threads,
                    grpc::ServerBuilder& builder) {
  grpc::ResourceQuota quota(name);
  quota.SetMaxThreads(max_threads);
  builder.SetResourceQuota(quota);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  // Two servers on one port would share its connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Start(
    const std::string& address, int max_threads,
    const std::vector<grpc::Service*>& services, CallMetrics* metrics) {
  MOEPROBE_RETURN_IF_ERROR(CheckListenAddress(address));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  LimitResources(address, max_threads, builder);
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::vector<
      std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>
      interceptors;
  interceptors.push_back(std::make_unique<CallTimerFactory>(metrics));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address));
  }
  return std::unique_ptr<Listener>(
      new Listener(WithPort(address, port), std::move(server)));
}

void Listener::SetHealth(const std::string& service, bool is_serving) {
  server_->GetHealthCheckService()->SetServingStatus(service, is_serving);
}

void Listener::Drain() {
  server_->GetHealthCheckService()->SetServingStatus(false);
}

void Listener::Stop(std::chrono::milliseconds grace) {
  absl::Notification stopped;
  std::thread breaker([&] {
    absl::Duration patience = absl::FromChrono(grace) + kUnwinding;
    while (!stopped.WaitForNotificationWithTimeout(patience)) {
      ShutDownAcceptedConnections(address_);
      patience = kUnwinding;
    }
  });
  server_->Shutdown(std::chrono::system_clock::now() + grace);
  server_->Wait();
  stopped.Notify();
  breaker.join();
}

}  // namespace moeprobe

#include "server/port_listener.h"

#include <grpc/impl/codegen/grpc_types.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_descriptor.h"
#include "server/listen_address.h"
#include "server/metrics/call_metrics.h"
#include "server/rpc_server.h"
#include "server/service_set.h"

namespace moeprobe {

absl::StatusOr<std::unique_ptr<PortListener>> PortListener::Start(
    const std::string& address,
    const std::shared_ptr<grpc::ServerCredentials>& credentials,
    int max_threads, std::unique_ptr<ServiceSet> services,
    CallMetrics* metrics) {
  int port = 0;
  std::unique_ptr<grpc::Server> server = StartRpcServer(
      *services, max_threads, metrics, [&](grpc::ServerBuilder& builder) {
        // Two servers on one port would share its connections.
        builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
        builder.AddListeningPort(address, credentials, &port);
      });
  if (server == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address));
  }
  return std::unique_ptr<PortListener>(new PortListener(
      WithPort(address, port), std::move(services), std::move(server)));
}

void PortListener::Serve(FileDescriptor connection) {
  grpc::AddInsecureChannelFromFd(server_.get(), connection.Release());
}

void PortListener::SetHealth(const std::string& service, bool is_serving) {
  server_->GetHealthCheckService()->SetServingStatus(service, is_serving);
}

void PortListener::Drain() { server_->GetHealthCheckService()->Shutdown(); }

void PortListener::Stop(std::chrono::milliseconds grace) {
  StopRpcServer(*server_, address_, grace);
}

}  // namespace moeprobe

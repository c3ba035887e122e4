#ifndef MOEPROBE_SERVER_PORT_LISTENER_H_
#define MOEPROBE_SERVER_PORT_LISTENER_H_

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"
#include "server/listener.h"
#include "server/metrics/call_metrics.h"
#include "server/service_set.h"

namespace moeprobe {

// Listens at a TCP port, or at a Unix socket where nobody asks who calls.
class PortListener final : public Listener {
 public:
  // Listens at `address`, HOST:PORT or unix:PATH, and works on at most
  // `max_threads` calls at the same time. `metrics`, which must outlive it,
  // hears of every call. Unavailable if the system says no.
  static absl::StatusOr<std::unique_ptr<PortListener>> Start(
      const std::string& address,
      const std::shared_ptr<grpc::ServerCredentials>& credentials,
      int max_threads, std::unique_ptr<ServiceSet> services,
      CallMetrics* metrics);

  // Serves a connection that was made elsewhere, a socket that does not block,
  // as one that was taken at the address. Thread-safe.
  void Serve(FileDescriptor connection);

  const std::string& address() const override { return address_; }
  void SetHealth(const std::string& service, bool is_serving) override;
  void Drain() override;
  void Stop(std::chrono::milliseconds grace) override;

 private:
  PortListener(std::string address, std::unique_ptr<ServiceSet> services,
               std::unique_ptr<grpc::Server> server)
      : address_(std::move(address)),
        services_(std::move(services)),
        server_(std::move(server)) {}

  std::string address_;
  std::unique_ptr<ServiceSet> services_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_PORT_LISTENER_H_

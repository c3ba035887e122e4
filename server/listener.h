#ifndef MOEPROBE_SERVER_LISTENER_H_
#define MOEPROBE_SERVER_LISTENER_H_

#include <grpcpp/impl/service_type.h>
#include <grpcpp/server.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/metrics/call_metrics.h"

namespace moeprobe {

// Services that can be called at an address, with health and reflection beside
// them.
class Listener {
 public:
  // Listens on `address` and works on at most `max_threads` calls at the same
  // time. The services and `metrics`, which hears of every call, must outlive
  // the listener.
  //
  // Errors: those of CheckListenAddress; Unavailable if the system says no.
  static absl::StatusOr<std::unique_ptr<Listener>> Start(
      const std::string& address, int max_threads,
      const std::vector<grpc::Service*>& services, CallMetrics* metrics);

  // The address, with the real port for HOST:0.
  const std::string& address() const { return address_; }

  // Tells those who ask for its health whether `service`, of any name, serves.
  void SetHealth(const std::string& service, bool is_serving);

  // Tells those who ask for its health that it is about to stop.
  void Drain();

  // Takes no more calls, gives running ones so long, and waits for them; those
  // of clients that stopped reading end with their connections soon after.
  // Idempotent.
  void Stop(std::chrono::milliseconds grace);

 private:
  Listener(std::string address, std::unique_ptr<grpc::Server> server)
      : address_(std::move(address)), server_(std::move(server)) {}

  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_LISTENER_H_

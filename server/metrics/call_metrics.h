#ifndef MOEPROBE_SERVER_METRICS_CALL_METRICS_H_
#define MOEPROBE_SERVER_METRICS_CALL_METRICS_H_

#include <grpcpp/support/server_interceptor.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <atomic>
#include <chrono>
#include <string>

namespace moeprobe {

// Counts calls and what they take, from their arrival to their end:
// moeprobe_call_seconds{method,code}, with `code` such as "NOT_FOUND" and
// CANCELLED for calls whose client went away. Calls that wait by their nature
// (WatchJob, ClaimTask) are as long as the wait. Thread-safe.
class CallMetrics {
 public:
  // Adds the metrics to `registry`, which must outlive the object.
  explicit CallMetrics(prometheus::Registry& registry);

  void Ended(const std::string& method, grpc::StatusCode code,
             std::chrono::duration<double> seconds);

 private:
  prometheus::Family<prometheus::Histogram>& calls_;
};

// Gives every call of a server an interceptor that tells `metrics` of its end.
class CallTimerFactory final
    : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  // `metrics` must outlive the server.
  explicit CallTimerFactory(CallMetrics* metrics) {
    metrics_.store(metrics, std::memory_order_release);
  }

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override;

 private:
  // Threads of gRPC that were there before the server see it first when a call
  // comes, in order, but where a sanitizer sees nothing of it.
  std::atomic<CallMetrics*> metrics_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_METRICS_CALL_METRICS_H_

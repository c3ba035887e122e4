#include "server/metrics/call_metrics.h"

#include <grpcpp/support/interceptor.h>
#include <grpcpp/support/server_interceptor.h>
#include <grpcpp/support/status.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <atomic>
#include <chrono>
#include <string>
#include <utility>

#include "absl/status/status.h"

namespace moeprobe {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;

const prometheus::Histogram::BucketBoundaries& Buckets() {
  static const auto& buckets = *new prometheus::Histogram::BucketBoundaries{
      0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30};
  return buckets;
}

// Lives as long as its call.
class CallTimer final : public grpc::experimental::Interceptor {
 public:
  CallTimer(CallMetrics* metrics, std::string method)
      : metrics_(metrics), method_(std::move(method)) {
    // That of a call that ends without a status: its client has gone.
    code_.store(grpc::StatusCode::CANCELLED, std::memory_order_release);
  }

  ~CallTimer() override {
    const auto code = code_.load(std::memory_order_acquire);
    metrics_->Ended(method_, code, std::chrono::steady_clock::now() - start_);
  }
  CallTimer(const CallTimer&) = delete;
  CallTimer& operator=(const CallTimer&) = delete;

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            InterceptionHookPoints::PRE_SEND_STATUS)) {
      code_.store(methods->GetSendStatus().error_code(),
                  std::memory_order_release);
    }
    methods->Proceed();
  }

 private:
  CallMetrics* metrics_;
  const std::string method_;
  const std::chrono::steady_clock::time_point start_ =
      std::chrono::steady_clock::now();
  // The object passes from thread to thread inside gRPC, in order, but where a
  // sanitizer sees nothing of it. What is stored here carries the rest along.
  std::atomic<grpc::StatusCode> code_;
};

}  // namespace

CallMetrics::CallMetrics(prometheus::Registry& registry)
    : calls_(prometheus::BuildHistogram()
                 .Name("moeprobe_call_seconds")
                 .Help("Calls, from their arrival to their end")
                 .Register(registry)) {}

void CallMetrics::Ended(const std::string& method, grpc::StatusCode code,
                        std::chrono::duration<double> seconds) {
  const std::string name =
      absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
  calls_.Add({{"method", method}, {"code", name}}, Buckets())
      .Observe(seconds.count());
}

grpc::experimental::Interceptor* CallTimerFactory::CreateServerInterceptor(
    grpc::experimental::ServerRpcInfo* info) {
  // "/moeprobe.v1.JobService/GetJob" is GetJob: no two services share a name.
  const std::string path = info->method();
  return new CallTimer(metrics_.load(std::memory_order_acquire),
                       path.substr(path.rfind('/') + 1));
}

}  // namespace moeprobe

#include "server/worker_service.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/grpc_status.h"
#include "server/layer_upload.h"
#include "server/scheduler.h"

namespace moeprobe {
namespace {

// An answer needs some time to arrive before the deadline.
constexpr std::chrono::milliseconds kMargin{200};

// What no machine reaches; estimates of anything slower or larger would be
// beyond the range of numbers.
constexpr double kFastest = 1e18;
constexpr int64_t kMostBytes = int64_t{1} << 50;
constexpr int kMostThreads = 1 << 16;

// OK if a machine may have measured these.
absl::Status CheckRates(const v1::MachineRates& rates) {
  for (const double rate :
       {rates.float32_rate(), rates.bfloat16_rate(), rates.float64_rate(),
        rates.eigen_rate(), rates.memory_rate(), rates.digest_rate()}) {
    if (rate >= 1 && rate <= kFastest) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "rates: found ", rate, " a second, expected 1 to ", kFastest));
  }
  if (rates.resting_bytes() < 0 || rates.resting_bytes() > kMostBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("rates.resting_bytes: found ", rates.resting_bytes(),
                     ", expected 0 to ", kMostBytes));
  }
  if (rates.threads() < 1 || rates.threads() > kMostThreads) {
    return absl::InvalidArgumentError(
        absl::StrCat("rates.threads: found ", rates.threads(),
                     ", expected 1 to ", kMostThreads));
  }
  return absl::OkStatus();
}

Claimant ClaimantOf(const v1::ClaimTaskRequest& request,
                    const grpc::ServerContext& context) {
  const auto& devices = request.devices();
  return {
      .worker = request.worker_pid(),
      .has_cuda = std::find(devices.begin(), devices.end(), v1::DEVICE_CUDA) !=
                  devices.end(),
      .rates =
          request.has_rates() ? std::optional(request.rates()) : std::nullopt,
      .gave_up = [&context] {
        return context.IsCancelled() ||
               std::chrono::system_clock::now() + kMargin >= context.deadline();
      }};
}

}  // namespace

grpc::Status WorkerServiceImpl::ClaimTask(grpc::ServerContext* context,
                                          const v1::ClaimTaskRequest* request,
                                          v1::ClaimTaskResponse* response) {
  if (request->has_rates()) {
    const absl::Status rates = CheckRates(request->rates());
    if (!rates.ok()) return ToGrpc(rates);
  }
  auto task = scheduler_->Claim(ClaimantOf(*request, *context));
  if (!task.ok()) return ToGrpc(task.status());
  if (*task) *response->mutable_task() = **std::move(task);
  return grpc::Status::OK;
}

grpc::Status WorkerServiceImpl::ReportTask(grpc::ServerContext* /*context*/,
                                           const v1::ReportTaskRequest* request,
                                           v1::ReportTaskResponse* response) {
  auto answer = operations_->Report(*request);
  if (answer.ok()) *response = *std::move(answer);
  return ToGrpc(answer.status());
}

grpc::Status WorkerServiceImpl::StoreTokens(
    grpc::ServerContext* /*context*/, const v1::StoreTokensRequest* request,
    v1::StoreTokensResponse* /*response*/) {
  return ToGrpc(operations_->StoreTokens(*request));
}

grpc::Status WorkerServiceImpl::PublishLayer(
    grpc::ServerContext* /*context*/,
    grpc::ServerReader<v1::PublishLayerRequest>* reader,
    v1::PublishLayerResponse* /*response*/) {
  auto upload = ReceiveLayer(
      [&](v1::PublishLayerRequest* message) { return reader->Read(message); });
  if (!upload.ok()) return ToGrpc(upload.status());
  return ToGrpc(operations_->Publish(upload->layer, std::move(upload->arrays)));
}

grpc::Status WorkerServiceImpl::FinishTask(
    grpc::ServerContext* /*context*/, const v1::FinishTaskRequest* request,
    v1::FinishTaskResponse* /*response*/) {
  return ToGrpc(operations_->Finish(*request));
}

}  // namespace moeprobe

#include "server/worker/server_link.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/support/status.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/crash_point.h"
#include "core/base/file_descriptor.h"
#include "core/base/npy.h"
#include "core/base/retry_delay.h"
#include "core/base/sha256.h"
#include "core/plan/machine_rates.h"
#include "core/probe/probe_result.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "spec/error_details.h"

namespace moeprobe {
namespace {

// What gRPC calls the server in its messages.
constexpr const char* kTarget = "moeprobe-server";
constexpr std::chrono::seconds kClaimWait{10};
constexpr std::chrono::milliseconds kFirstPause{500};
constexpr std::chrono::milliseconds kLastPause{32'000};
constexpr size_t kChunkBytes = size_t{1} << 20U;

v1::DataType ToProto(DataType type) {
  switch (type) {
    case DataType::kFloat64:
      return v1::DATA_TYPE_FLOAT64;
    case DataType::kFloat32:
      return v1::DATA_TYPE_FLOAT32;
    case DataType::kInt64:
      return v1::DATA_TYPE_INT64;
  }
  return v1::DATA_TYPE_UNSPECIFIED;
}

v1::MachineRates ToProto(const MachineRates& rates) {
  v1::MachineRates message;
  message.set_float32_rate(rates.float32);
  message.set_bfloat16_rate(rates.bfloat16);
  message.set_float64_rate(rates.float64);
  message.set_eigen_rate(rates.eigen);
  message.set_memory_rate(rates.memory);
  message.set_digest_rate(rates.digest);
  message.set_resting_bytes(rates.resting_bytes);
  message.set_threads(rates.threads);
  message.set_libtorch_version(rates.libtorch_version);
  return message;
}

using LayerWriter = grpc::ClientWriter<v1::PublishLayerRequest>;

// False if the server has stopped reading; Finish() then says why.
bool WriteArray(const NamedArray& array, LayerWriter& writer) {
  CrashPoint("worker-between-arrays");
  const std::string npy = EncodeNpy(array.array);
  v1::PublishLayerRequest request;
  v1::ArrayInfo& info = *request.mutable_chunk()->mutable_info();
  info.set_name(array.name);
  info.set_probe(array.probe);
  info.set_data_type(ToProto(array.array.type));
  info.mutable_shape()->Add(array.array.shape.begin(), array.array.shape.end());
  info.set_sha256(Sha256Hex(npy));
  info.set_size_bytes(static_cast<int64_t>(npy.size()));
  for (size_t begin = 0; begin < npy.size(); begin += kChunkBytes) {
    request.mutable_chunk()->set_data(npy.substr(begin, kChunkBytes));
    if (!writer.Write(request)) return false;
    request.mutable_chunk()->clear_info();
  }
  return true;
}

// Calls again while the server's disk is full or fails, for a minute: what was
// computed is too dear to be thrown away. What the server took, it takes once.
template <typename Call>
absl::Status WhileTheDiskFails(Call&& call) {
  absl::Status status = call();
  for (auto pause = kFirstPause; pause <= kLastPause; pause *= 2) {
    if (!DiskFails(status)) break;
    std::this_thread::sleep_for(pause);
    status = call();
  }
  return status;
}

}  // namespace

bool DiskFails(const absl::Status& status) {
  return absl::IsResourceExhausted(status) ||
         (absl::IsUnavailable(status) && RetryDelayOf(status).has_value());
}

ServerLink::ServerLink(FileDescriptor connection, const MachineRates& rates)
    : stub_(v1::WorkerService::NewStub(
          grpc::CreateInsecureChannelFromFd(kTarget, connection.Release()))) {
  claim_.set_worker_pid(getpid());
  *claim_.mutable_rates() = ToProto(rates);
}

absl::StatusOr<std::optional<v1::Task>> ServerLink::ClaimTask() const {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kClaimWait);
  v1::ClaimTaskResponse response;
  absl::Status status = FromGrpc(stub_->ClaimTask(&context, claim_, &response));
  if (absl::IsDeadlineExceeded(status)) return std::nullopt;
  if (!status.ok()) return status;
  if (!response.has_task()) return std::nullopt;
  return std::move(*response.mutable_task());
}

absl::StatusOr<v1::ReportTaskResponse> ServerLink::Report(
    const v1::ReportTaskRequest& request) const {
  grpc::ClientContext context;
  v1::ReportTaskResponse response;
  absl::Status status =
      FromGrpc(stub_->ReportTask(&context, request, &response));
  if (!status.ok()) return status;
  return response;
}

absl::Status ServerLink::StoreTokens(
    const v1::StoreTokensRequest& request) const {
  return WhileTheDiskFails([&] {
    grpc::ClientContext context;
    v1::StoreTokensResponse response;
    return FromGrpc(stub_->StoreTokens(&context, request, &response));
  });
}

absl::Status ServerLink::PublishLayer(
    const v1::FinishedLayer& layer,
    const std::vector<NamedArray>& arrays) const {
  return WhileTheDiskFails([&] { return TryPublish(layer, arrays); });
}

absl::Status ServerLink::TryPublish(
    const v1::FinishedLayer& layer,
    const std::vector<NamedArray>& arrays) const {
  grpc::ClientContext context;
  v1::PublishLayerResponse response;
  const std::unique_ptr<LayerWriter> writer =
      stub_->PublishLayer(&context, &response);
  v1::PublishLayerRequest header;
  *header.mutable_layer() = layer;
  if (writer->Write(header)) {
    std::ranges::all_of(arrays, [&](const NamedArray& array) {
      return WriteArray(array, *writer);
    });
    writer->WritesDone();
  }
  return FromGrpc(writer->Finish());
}

absl::Status ServerLink::FinishTask(
    const v1::FinishTaskRequest& request) const {
  return WhileTheDiskFails([&] {
    grpc::ClientContext context;
    v1::FinishTaskResponse response;
    return FromGrpc(stub_->FinishTask(&context, request, &response));
  });
}

}  // namespace moeprobe

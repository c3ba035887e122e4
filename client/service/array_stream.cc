#include "client/service/array_stream.h"

#include <grpcpp/support/sync_stream.h>

#include <optional>

#include "absl/status/statusor.h"
#include "client/service/cancellation.h"
#include "client/service/grpc_status.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.grpc.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

ArrayStream::ArrayStream(v1::ResultService::Stub& stub,
                         Cancellation& cancellation,
                         const v1::ReadArraysRequest& request)
    : call_(cancellation, context_),
      reader_(stub.ReadArrays(&context_, request)) {}

ArrayStream::~ArrayStream() {
  if (finished_) return;
  context_.TryCancel();
  reader_->Finish();
}

absl::StatusOr<std::optional<v1::ArrayChunk>> ArrayStream::Next() {
  v1::ArrayChunk chunk;
  if (!finished_ && reader_->Read(&chunk)) return chunk;
  if (!finished_) {
    finished_ = true;
    MOEPROBE_RETURN_IF_ERROR(ToAbslStatus(reader_->Finish()));
  }
  return std::nullopt;
}

}  // namespace moeprobe

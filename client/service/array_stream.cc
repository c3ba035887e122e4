#include "client/service/array_stream.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/service/cancellation.h"
#include "client/service/client_options.h"
#include "client/service/grpc_status.h"
#include "client/service/retry.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.grpc.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// One attempt at the stream.
class ArrayStream::Call {
 public:
  Call(v1::ResultService::Stub& stub, Cancellation& cancellation,
       const std::string& token, const v1::ReadArraysRequest& request)
      : cancellation_(cancellation), registration_(cancellation, context_) {
    Authorize(context_, token);
    reader_ = stub.ReadArrays(&context_, request);
  }

  ~Call() {
    if (finished_) return;
    context_.TryCancel();
    reader_->Finish();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  absl::StatusOr<std::optional<v1::ArrayChunk>> Next() {
    v1::ArrayChunk chunk;
    if (!finished_ && reader_->Read(&chunk)) return chunk;
    if (!finished_) MOEPROBE_RETURN_IF_ERROR(Finish());
    return std::nullopt;
  }

 private:
  absl::Status Finish() {
    finished_ = true;
    absl::Status status = ToAbslStatus(reader_->Finish());
    // A server that stops cancels the calls it has no time for.
    if (absl::IsCancelled(status) && !cancellation_.cancelled()) {
      return absl::UnavailableError("the server ended the call");
    }
    return status;
  }

  Cancellation& cancellation_;
  grpc::ClientContext context_;
  Cancellation::Call registration_;
  std::unique_ptr<grpc::ClientReader<v1::ArrayChunk>> reader_;
  bool finished_ = false;
};

ArrayStream::ArrayStream(v1::ResultService::Stub& stub,
                         const ClientOptions& options, Retry retry,
                         Cancellation& cancellation,
                         v1::ReadArraysRequest request)
    : stub_(stub),
      cancellation_(cancellation),
      request_(std::move(request)),
      address_(options.address),
      token_(options.token),
      retry_(std::move(retry)),
      call_(std::make_unique<Call>(stub, cancellation, token_, request_)) {}

ArrayStream::~ArrayStream() = default;

absl::StatusOr<std::optional<v1::ArrayChunk>> ArrayStream::Next() {
  while (true) {
    absl::StatusOr<std::optional<v1::ArrayChunk>> chunk = call_->Next();
    if (chunk.ok()) {
      if (*chunk && !KeepNew(**chunk)) continue;
      retry_.Restart();
      return chunk;
    }
    if (!retry_.Again(chunk.status())) {
      return WithAddress(chunk.status(), address_);
    }
    Resume();
  }
}

void ArrayStream::Resume() {
  const int whole = std::max(std::min(begun_, request_.arrays_size()) - 1, 0);
  request_.mutable_arrays()->DeleteSubrange(0, whole);
  begun_ -= whole;
  to_skip_ = returned_;
  head_again_ = begun_ > 0;
  call_ = std::make_unique<Call>(stub_, cancellation_, token_, request_);
}

bool ArrayStream::KeepNew(v1::ArrayChunk& chunk) {
  if (chunk.has_info() && std::exchange(head_again_, false)) {
    chunk.clear_info();
  } else if (chunk.has_info()) {
    ++begun_;
    returned_ = to_skip_ = 0;
  }
  const size_t again = std::min(to_skip_, chunk.data().size());
  to_skip_ -= again;
  chunk.mutable_data()->erase(0, again);
  returned_ += chunk.data().size();
  return chunk.has_info() || !chunk.data().empty();
}

}  // namespace moeprobe

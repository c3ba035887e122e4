#ifndef MOEPROBE_CLIENT_SERVICE_ARRAY_STREAM_H_
#define MOEPROBE_CLIENT_SERVICE_ARRAY_STREAM_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "client/service/cancellation.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.grpc.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// Arrays on their way from a server. Ends the call when it goes away.
class ArrayStream {
 public:
  ArrayStream(v1::ResultService::Stub& stub, Cancellation& cancellation,
              const v1::ReadArraysRequest& request);
  ~ArrayStream();
  ArrayStream(const ArrayStream&) = delete;
  ArrayStream& operator=(const ArrayStream&) = delete;

  // Waits for the next chunk; nothing at the end. Errors are those of the
  // method.
  absl::StatusOr<std::optional<v1::ArrayChunk>> Next();

 private:
  grpc::ClientContext context_;
  Cancellation::Call call_;
  std::unique_ptr<grpc::ClientReader<v1::ArrayChunk>> reader_;
  bool finished_ = false;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SERVICE_ARRAY_STREAM_H_

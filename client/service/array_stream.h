#ifndef MOEPROBE_CLIENT_SERVICE_ARRAY_STREAM_H_
#define MOEPROBE_CLIENT_SERVICE_ARRAY_STREAM_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "client/service/cancellation.h"
#include "client/service/client_options.h"
#include "client/service/retry.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.grpc.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// Arrays on their way from a server. A stream that breaks is taken up again at
// the byte where it broke. Ends the call when it goes away.
class ArrayStream {
 public:
  // Reads the arrays that `request` names, at least one, in its order. `retry`
  // paces the attempts. Of `options`, the address is for messages, and the
  // token for the server.
  ArrayStream(v1::ResultService::Stub& stub, const ClientOptions& options,
              Retry retry, Cancellation& cancellation,
              v1::ReadArraysRequest request);
  ~ArrayStream();
  ArrayStream(const ArrayStream&) = delete;
  ArrayStream& operator=(const ArrayStream&) = delete;

  // Waits for the next chunk; nothing at the end. Errors are those of the
  // method, or Unavailable where the server stays away.
  absl::StatusOr<std::optional<v1::ArrayChunk>> Next();

 private:
  class Call;

  // Asks once more for the arrays that are not known to be whole.
  void Resume();
  // Takes out of a chunk what was returned before; whether anything is left.
  bool KeepNew(v1::ArrayChunk& chunk);

  v1::ResultService::Stub& stub_;
  Cancellation& cancellation_;
  v1::ReadArraysRequest request_;
  std::string address_;
  std::string token_;
  Retry retry_;
  std::unique_ptr<Call> call_;
  int begun_ = 0;            // arrays of `request_` whose head was returned
  size_t returned_ = 0;      // bytes of the last one of these
  size_t to_skip_ = 0;       // of them, those that still come again
  bool head_again_ = false;  // its head comes again
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SERVICE_ARRAY_STREAM_H_

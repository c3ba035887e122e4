#include "tests/fuzz/raw_call.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <memory>
#include <string>

namespace moeprobe {
namespace {

constexpr int kMostAnswers = 100;

// Waits for the one operation that is under way; whether it went well.
bool Wait(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  return queue.Next(&tag, &ok) && ok;
}

grpc::ByteBuffer BufferOf(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

}  // namespace

grpc::Status Send(const std::shared_ptr<grpc::Channel>& channel,
                  const RawCall& call) {
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + call.limit);
  const auto stream = stub.PrepareCall(&context, call.path, &queue);
  stream->StartCall(nullptr);
  bool open = Wait(queue);
  for (const std::string& request : call.requests) {
    if (!open) break;
    stream->Write(BufferOf(request), nullptr);
    open = Wait(queue);
  }
  stream->WritesDone(nullptr);
  Wait(queue);
  grpc::ByteBuffer answer;
  for (int count = 0;; ++count) {
    stream->Read(&answer, nullptr);
    if (!Wait(queue)) break;
    if (count == kMostAnswers) context.TryCancel();
  }
  grpc::Status status;
  stream->Finish(&status, nullptr);
  Wait(queue);
  return status;
}

}  // namespace moeprobe

#ifndef MOEPROBE_TESTS_FUZZ_RAW_CALL_H_
#define MOEPROBE_TESTS_FUZZ_RAW_CALL_H_

#include <grpcpp/channel.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace moeprobe {

// A call of any method, of any bytes.
struct RawCall {
  std::string path;                   // "/moeprobe.v1.JobService/GetJob"
  std::vector<std::string> requests;  // one, or what is streamed
  std::chrono::milliseconds limit;    // the deadline, from when it is sent
};

// Makes the call, reads the answer and throws it away, and returns the status.
// A stream is cancelled after its first hundred messages.
grpc::Status Send(const std::shared_ptr<grpc::Channel>& channel,
                  const RawCall& call);

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_FUZZ_RAW_CALL_H_

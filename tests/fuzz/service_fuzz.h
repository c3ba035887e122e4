#ifndef MOEPROBE_TESTS_FUZZ_SERVICE_FUZZ_H_
#define MOEPROBE_TESTS_FUZZ_SERVICE_FUZZ_H_

#include <google/protobuf/descriptor.h>
#include <grpcpp/channel.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/testing/server_fixture.h"
#include "tests/fuzz/raw_call.h"
#include "tests/fuzz/seed_calls.h"

namespace moeprobe {

// A server in this process, one of whose jobs has results and another a worker.
class ServiceFuzz : public ServerFixture {
 protected:
  using Methods = std::vector<const google::protobuf::MethodDescriptor*>;

  void SetUp() override;

  // Calls `methods` in turn with what becomes of calls that are right, and
  // expects each to be answered as a caller can understand, and good calls to
  // be answered after.
  void Fuzz(const Methods& methods, int64_t call_count);

 private:
  // Puts back what calls may have changed: a job with results, another with a
  // worker, no third. All of that are good calls.
  void Restage();
  void EndOtherJobs();
  void AddRunningJob();
  bool IsHarmless(const RawCall& call) const;

  Stage stage_;
  int64_t stage_count_ = 0;
  std::map<std::string, std::vector<CallMessages>> seeds_;
  std::shared_ptr<grpc::Channel> own_channel_;
  std::shared_ptr<grpc::Channel> workers_channel_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_FUZZ_SERVICE_FUZZ_H_

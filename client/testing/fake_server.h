#ifndef MOEPROBE_CLIENT_TESTING_FAKE_SERVER_H_
#define MOEPROBE_CLIENT_TESTING_FAKE_SERVER_H_

#include <grpcpp/server.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "moeprobe/v1/dataset_service.grpc.pb.h"
#include "moeprobe/v1/job_service.grpc.pb.h"
#include "moeprobe/v1/result_service.grpc.pb.h"

namespace moeprobe {

// What a fake server knows and how it misbehaves. Set it before the calls it
// is meant for.
struct FakeServerState {
  std::atomic<int> unavailable_calls = 0;  // how many calls are turned away
  int events_before_break = 0;  // a watch breaks after so many; 0: never
  bool damage_arrays = false;   // one byte of each array is wrong
  // After how many chunks each ReadArrays breaks, one call after the other;
  // those after the last go to their end.
  std::vector<int> chunks_before_break;

  v1::Job job;                         // the one job there is
  std::vector<v1::JobEvent> events;    // of that job
  v1::ValidateJobResponse validation;  // of every spec
  int job_count = 1;                   // how many ListJobs has
  std::map<std::string, std::string> arrays;
  std::vector<v1::SummaryRow> summary;

  // What came in.
  std::vector<std::string> request_ids;
  v1::Job created;
  std::map<std::string, std::string> datasets;  // bytes by name
  int upload_count = 0;
  int read_count = 0;  // of ReadArrays
};

// A server in this process on a Unix socket, which answers from a state.
class FakeServer {
 public:
  explicit FakeServer(FakeServerState& state);
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  const std::string& address() const { return address_; }

 private:
  std::string directory_;
  std::string address_;
  std::unique_ptr<v1::JobService::Service> jobs_;
  std::unique_ptr<v1::DatasetService::Service> datasets_;
  std::unique_ptr<v1::ResultService::Service> results_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_TESTING_FAKE_SERVER_H_

#ifndef MOEPROBE_TESTS_FUZZ_SEED_CALLS_H_
#define MOEPROBE_TESTS_FUZZ_SEED_CALLS_H_

#include <google/protobuf/message.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/worker_service.pb.h"

namespace moeprobe {

// What calls can be about.
struct Stage {
  v1::AnalyzeSpec spec;       // that can be run
  std::string finished_job;   // name of one with results
  std::string dataset;        // name of one
  v1::Task task;              // that a worker has, of another job
  std::string new_directory;  // absolute, for a backup
};

// The messages of one call: one, or what is streamed.
using CallMessages = std::vector<std::unique_ptr<google::protobuf::Message>>;

// Returns calls that a server would not refuse, one or more for every method,
// by the method's path.
std::map<std::string, std::vector<CallMessages>> SeedCalls(const Stage& stage);

}  // namespace moeprobe

#endif  // MOEPROBE_TESTS_FUZZ_SEED_CALLS_H_

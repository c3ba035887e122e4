#ifndef MOEPROBE_SERVER_SERVER_OPTIONS_H_
#define MOEPROBE_SERVER_SERVER_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "server/client_listener.h"
#include "server/log.h"
#include "server/retention_rules.h"
#include "storage/limits.h"

namespace moeprobe {

// What running jobs are expected to take of memory together, at most.
struct MemoryBudget {
  int64_t bytes = 0;  // 0: any amount
  // Why so much, such as "80 % of what the machine has".
  std::string origin = {};
};

// How to run a server.
struct ServerOptions {
  std::filesystem::path data_directory;  // made if there is none
  std::vector<std::filesystem::path> model_roots;
  std::vector<std::string> addresses;  // for users; see ListenForClients
  ListenOptions listen;
  // Jobs and data sets are private where the request does not say.
  bool private_by_default = false;
  // Worker processes; with none, workers are started by hand.
  int worker_count = 1;
  int threads_per_worker = 1;
  std::filesystem::path worker_binary;
  // What each worker may take of memory; see ProcessLimits. 0: no limit.
  int64_t worker_memory_bytes = 0;
  MemoryBudget memory_budget = {};
  // Refuses to start where workers cannot be isolated.
  bool require_isolation = false;
  // What kept hidden states may take on disk; 0: none are kept.
  int64_t hidden_state_bytes = int64_t{8} << 30;
  // Of the workers that it starts.
  LogFormat log_format = LogFormat::kText;
  // Where metrics are shown, a loopback HOST:PORT; empty: nowhere.
  std::string metrics_address;
  // How long workers may take, when the server stops, to keep what they have
  // reached: to the next finished layer or training step.
  std::chrono::milliseconds drain_patience{20'000};
  Limits limits = {};
  RetentionRules retention = {};
  // How long a worker may hold a task without a word.
  std::chrono::seconds lease{60};
  // How long it may tell the same of a task.
  std::chrono::seconds stall{21'600};
  // How long a job may take from when a worker first took it; 0: no limit.
  std::chrono::seconds max_job_time{0};
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SERVER_OPTIONS_H_

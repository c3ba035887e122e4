#ifndef MOEPROBE_SERVER_WORKER_TASK_CONTEXT_H_
#define MOEPROBE_SERVER_WORKER_TASK_CONTEXT_H_

#include "core/pipeline/analyze.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/heartbeat.h"
#include "server/worker/server_link.h"

namespace moeprobe {

// What the parts of running one task work with; all thread-safe.
struct TaskContext {
  const ServerLink& link;
  Analyzer& analyzer;
  Heartbeat& heartbeat;
  const v1::Task& task;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_TASK_CONTEXT_H_

#ifndef MOEPROBE_SERVER_WORKER_LAYER_PUBLISHER_H_
#define MOEPROBE_SERVER_WORKER_LAYER_PUBLISHER_H_

#include <string>

#include "absl/status/status.h"
#include "core/pipeline/analyze.h"
#include "server/worker/task_context.h"

namespace moeprobe {

// Publishes finished layers of one part of a task.
class LayerPublisher {
 public:
  // `part` counts from 0. `data_fingerprint`: of its token ids as cut.
  LayerPublisher(const TaskContext& context, int part,
                 std::string data_fingerprint);

  absl::Status Publish(const LayerResult& result) const;

 private:
  TaskContext context_;
  int part_;
  std::string data_fingerprint_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_LAYER_PUBLISHER_H_

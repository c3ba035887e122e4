#ifndef MOEPROBE_SERVER_WORKER_PART_OBSERVER_H_
#define MOEPROBE_SERVER_WORKER_PART_OBSERVER_H_

#include <string>

#include "absl/status/status.h"
#include "core/pipeline/analyze.h"
#include "server/worker/layer_publisher.h"
#include "server/worker/task_context.h"

namespace moeprobe {

// Passes on what an analysis of one part of a task says: progress to the
// heartbeat, finished layers to the server.
class PartObserver final : public AnalysisObserver {
 public:
  // `part` counts from 0.
  PartObserver(const TaskContext& context, int part,
               const std::string& data_fingerprint);

  absl::Status OnProgress(const std::string& phase, double fraction) override;
  absl::Status OnLayer(const LayerResult& result) override;

 private:
  TaskContext context_;
  LayerPublisher publisher_;
  int part_;
  int layers_before_ = 0;  // of earlier parts
  int layers_done_ = 0;
  int layer_count_ = 0;  // of the whole task
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_PART_OBSERVER_H_

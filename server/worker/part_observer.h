#ifndef MOEPROBE_SERVER_WORKER_PART_OBSERVER_H_
#define MOEPROBE_SERVER_WORKER_PART_OBSERVER_H_

#include <string>

#include "absl/status/status.h"
#include "core/pipeline/analyze.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/heartbeat.h"
#include "server/worker/server_link.h"

namespace moeprobe {

// Passes on what an analysis of one part of a task says: progress to the
// heartbeat, finished layers to the server.
class PartObserver final : public AnalysisObserver {
 public:
  // `part` counts from 0; the references must outlive the object.
  PartObserver(const ServerLink& link, Heartbeat& heartbeat,
               const v1::Task& task, int part, std::string data_fingerprint);

  absl::Status OnProgress(const std::string& phase, double fraction) override;
  absl::Status OnLayer(const LayerResult& result) override;

 private:
  const ServerLink& link_;
  Heartbeat& heartbeat_;
  const v1::Task& task_;
  int part_;
  std::string data_fingerprint_;
  int layers_before_ = 0;  // of earlier parts
  int layers_done_ = 0;
  int layer_count_ = 0;  // of the whole task
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_PART_OBSERVER_H_

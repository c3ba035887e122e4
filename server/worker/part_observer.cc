#include "server/worker/part_observer.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/pipeline/analyze.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/heartbeat.h"
#include "server/worker/server_link.h"

namespace moeprobe {

PartObserver::PartObserver(const ServerLink& link, Heartbeat& heartbeat,
                           const v1::Task& task, int part,
                           std::string data_fingerprint)
    : link_(link),
      heartbeat_(heartbeat),
      task_(task),
      part_(part),
      data_fingerprint_(std::move(data_fingerprint)) {
  for (int p = 0; p < task.parts_size(); ++p) {
    const int layers = task.parts(p).layers_size();
    if (p < part) layers_before_ += layers;
    layer_count_ += layers;
  }
}

absl::Status PartObserver::OnProgress(const std::string& phase,
                                      double fraction) {
  v1::Progress progress;
  progress.set_phase(absl::StrCat(task_.parts(part_).model(), ", ", phase));
  progress.set_fraction((part_ + fraction) / task_.parts_size());
  progress.set_layers_done_count(layers_before_ + layers_done_);
  progress.set_layer_count(layer_count_);
  heartbeat_.Set(progress);
  return heartbeat_.status();
}

absl::Status PartObserver::OnLayer(const LayerResult& result) {
  v1::FinishedLayer layer;
  layer.set_job(task_.job());
  layer.set_attempt(task_.attempt());
  layer.set_part(part_);
  layer.set_layer(static_cast<int>(result.layer));
  layer.set_weights_fingerprint(result.weights_fingerprint);
  layer.set_array_count(static_cast<int32_t>(result.arrays.size()));
  layer.set_data_fingerprint(data_fingerprint_);
  layer.mutable_warnings()->Add(result.warnings.begin(), result.warnings.end());
  if (result.layer >= 0) ++layers_done_;
  return link_.PublishLayer(layer, result.arrays);
}

}  // namespace moeprobe

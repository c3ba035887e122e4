#include "server/worker/layer_publisher.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "core/base/crash_point.h"
#include "core/base/status_macros.h"
#include "core/pipeline/analyze.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/task_context.h"

namespace moeprobe {

LayerPublisher::LayerPublisher(const TaskContext& context, int part,
                               std::string data_fingerprint)
    : context_(context),
      part_(part),
      data_fingerprint_(std::move(data_fingerprint)) {}

absl::Status LayerPublisher::Publish(const LayerResult& result) const {
  v1::FinishedLayer layer;
  layer.set_job(context_.task.job());
  layer.set_attempt(context_.task.attempt());
  layer.set_part(part_);
  layer.set_layer(static_cast<int>(result.layer));
  layer.set_weights_fingerprint(result.weights_fingerprint);
  layer.set_array_count(static_cast<int32_t>(result.arrays.size()));
  layer.set_data_fingerprint(data_fingerprint_);
  layer.mutable_warnings()->Add(result.warnings.begin(), result.warnings.end());
  CrashPoint("worker-has-layer");
  MOEPROBE_RETURN_IF_ERROR(context_.link.PublishLayer(layer, result.arrays));
  CrashPoint("worker-published-layer");
  return absl::OkStatus();
}

}  // namespace moeprobe

#include "server/worker/part_observer.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/pipeline/analyze.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/task_context.h"

namespace moeprobe {

PartObserver::PartObserver(const TaskContext& context, int part,
                           const std::string& data_fingerprint)
    : context_(context),
      publisher_(context, part, data_fingerprint),
      part_(part) {
  const v1::Task& task = context.task;
  for (int p = 0; p < task.parts_size(); ++p) {
    const int layers = task.parts(p).layers_size();
    if (p < part) layers_before_ += layers;
    layer_count_ += layers;
  }
}

absl::Status PartObserver::OnProgress(const std::string& phase,
                                      double fraction) {
  const v1::Task& task = context_.task;
  v1::Progress progress;
  progress.set_phase(absl::StrCat(task.parts(part_).model(), ", ", phase));
  progress.set_fraction((part_ + fraction) / task.parts_size());
  progress.set_layers_done_count(layers_before_ + layers_done_);
  progress.set_layer_count(layer_count_);
  context_.heartbeat.Set(progress);
  return context_.heartbeat.status();
}

absl::Status PartObserver::OnLayer(const LayerResult& result) {
  if (result.layer >= 0) ++layers_done_;
  MOEPROBE_RETURN_IF_ERROR(publisher_.Publish(result));
  if (!context_.heartbeat.is_asked_back()) return absl::OkStatus();
  return absl::CancelledError("given back");
}

}  // namespace moeprobe

#ifndef MOEPROBE_SERVER_WORKER_TRAINED_PART_H_
#define MOEPROBE_SERVER_WORKER_TRAINED_PART_H_

#include "absl/status/statusor.h"
#include "core/pipeline/train.h"
#include "core/train/token_split.h"
#include "moeprobe/v1/result.pb.h"
#include "server/worker/run_progress.h"
#include "server/worker/run_stop.h"
#include "server/worker/task_context.h"

namespace moeprobe {

// A model that was kept, with the text that it is trained on, and who hears
// how far its analysis is.
struct TrainedSource {
  const KeptModel& model;
  const TokenSplit& text;
  RunProgress& progress;
  const RunStop& stop;
};

// Computes and publishes what part `part` of the task wants of a model: curves
// at layer -1, then what the probes find. Returns where it comes from.
//
// Errors: those of CutWindows and Analyzer::Analyze, ServerLink::PublishLayer
// and RunStop.
absl::StatusOr<v1::Provenance> RunTrainedPart(const TaskContext& context,
                                              int part,
                                              const TrainedSource& source);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_TRAINED_PART_H_

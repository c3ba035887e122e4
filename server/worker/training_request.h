#ifndef MOEPROBE_SERVER_WORKER_TRAINING_REQUEST_H_
#define MOEPROBE_SERVER_WORKER_TRAINING_REQUEST_H_

#include "core/pipeline/train.h"
#include "moeprobe/v1/worker_service.pb.h"

namespace moeprobe {

// Returns a task's training run as the core understands it. The server has
// filled in every default.
TrainRequest RequestOf(const v1::TrainingRun& run);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_TRAINING_REQUEST_H_

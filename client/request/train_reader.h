#ifndef MOEPROBE_CLIENT_REQUEST_TRAIN_READER_H_
#define MOEPROBE_CLIENT_REQUEST_TRAIN_READER_H_

#include "absl/status/status.h"
#include "client/request/value.h"
#include "moeprobe/v1/training.pb.h"

namespace moeprobe {

// Reads a request of kind "train" from the root of its file; `kind` itself has
// been read.
absl::Status ReadTrainSpec(const Value& root, v1::TrainSpec& spec);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_TRAIN_READER_H_

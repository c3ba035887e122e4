#ifndef MOEPROBE_CLIENT_REQUEST_VARIANTS_READER_H_
#define MOEPROBE_CLIENT_REQUEST_VARIANTS_READER_H_

#include "absl/status/status.h"
#include "client/request/value.h"
#include "moeprobe/v1/training.pb.h"

namespace moeprobe {

// Reads what stands at the key "variants": a mapping from names to variants,
// whose order is kept.
absl::Status ReadVariants(const Value& value, v1::TrainSpec& spec);

// Reads what stands at the key "swap_routing": names of variants with experts,
// each once. All variants have been read.
absl::Status ReadSwapRouting(const Value& value, v1::TrainSpec& spec);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_REQUEST_VARIANTS_READER_H_

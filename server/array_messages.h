#ifndef MOEPROBE_SERVER_ARRAY_MESSAGES_H_
#define MOEPROBE_SERVER_ARRAY_MESSAGES_H_

#include <cstdint>
#include <string>

#include "core/base/npy.h"
#include "moeprobe/v1/result.pb.h"
#include "storage/published_layer.h"
#include "storage/result_store.h"

namespace moeprobe {

v1::DataType ToMessage(DataType type);

// Returns an array as clients see it, with the prefix of its part.
v1::ArrayInfo ToMessage(const JobArray& array);

// Returns the name of an array without its layer: "layer3/expert_count" is the
// quantity "expert_count".
std::string QuantityOf(const std::string& array_name, int64_t layer);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ARRAY_MESSAGES_H_

#ifndef MOEPROBE_CLIENT_TESTING_TRAINING_CELLS_H_
#define MOEPROBE_CLIENT_TESTING_TRAINING_CELLS_H_

#include <cstdint>
#include <string>

#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// Adds the cell of a variant, a seed and a step to a result, under the gates of
// another variant if `gates` names one. Returns the prefix of its names.
std::string AddTrainingCell(v1::Result& result, const std::string& variant,
                            int64_t seed, int64_t step,
                            const std::string& gates = "");

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_TESTING_TRAINING_CELLS_H_

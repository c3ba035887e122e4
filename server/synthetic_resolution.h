#ifndef MOEPROBE_SERVER_SYNTHETIC_RESOLUTION_H_
#define MOEPROBE_SERVER_SYNTHETIC_RESOLUTION_H_

#include "moeprobe/v1/training.pb.h"
#include "server/violations.h"

namespace moeprobe {

// Returns what examples to draw, with every default filled in. What is wrong
// goes to `violations`, under "data.synthetic".
v1::SyntheticData ResolveSynthetic(const v1::SyntheticData& asked,
                                   Violations& violations);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SYNTHETIC_RESOLUTION_H_

#ifndef MOEPROBE_SERVER_NULL_RESOLUTION_H_
#define MOEPROBE_SERVER_NULL_RESOLUTION_H_

#include "moeprobe/v1/analysis.pb.h"
#include "server/violations.h"

namespace moeprobe {

// Returns `asked` with every default filled in. What is wrong goes to
// `violations`.
v1::NullSpec ResolveNulls(const v1::NullSpec& asked, Violations& violations);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_NULL_RESOLUTION_H_

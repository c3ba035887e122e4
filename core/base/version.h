#ifndef MOEPROBE_CORE_BASE_VERSION_H_
#define MOEPROBE_CORE_BASE_VERSION_H_

namespace moeprobe {

// Returns the version of moeprobe, such as "0.1.0".
const char* Version();

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_VERSION_H_

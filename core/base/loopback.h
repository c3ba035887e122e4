#ifndef MOEPROBE_CORE_BASE_LOOPBACK_H_
#define MOEPROBE_CORE_BASE_LOOPBACK_H_

#include <string>

namespace moeprobe {

// Whether HOST of "HOST:PORT" is localhost or a loopback address, which this
// machine alone reaches.
bool IsLoopback(const std::string& address);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_LOOPBACK_H_

#ifndef MOEPROBE_CORE_BASE_DEFAULT_ADDRESS_H_
#define MOEPROBE_CORE_BASE_DEFAULT_ADDRESS_H_

#include <string>

namespace moeprobe {

// Returns where a server listens, and a client looks for it, unless told
// otherwise: "unix:$XDG_RUNTIME_DIR/moeprobe.sock", or
// "unix:/tmp/moeprobe-{user id}.sock" where that variable is not set.
std::string DefaultAddress();

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_DEFAULT_ADDRESS_H_

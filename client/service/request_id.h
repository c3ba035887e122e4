#ifndef MOEPROBE_CLIENT_SERVICE_REQUEST_ID_H_
#define MOEPROBE_CLIENT_SERVICE_REQUEST_ID_H_

#include <string>

namespace moeprobe {

// Returns a new random UUID (version 4) from the system's entropy.
std::string NewRequestId();

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SERVICE_REQUEST_ID_H_

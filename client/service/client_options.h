#ifndef MOEPROBE_CLIENT_SERVICE_CLIENT_OPTIONS_H_
#define MOEPROBE_CLIENT_SERVICE_CLIENT_OPTIONS_H_

#include <chrono>
#include <string>

namespace moeprobe {

// How a client reaches a server.
struct ClientOptions {
  std::string address;  // "unix:PATH" or "HOST:PORT"
  // How long a server that does not answer is tried again, in all.
  std::chrono::milliseconds patience{3000};
  // The same while a job is watched or arrays are read, each time anew: long
  // enough for a server to restart.
  std::chrono::milliseconds stream_patience{60000};
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SERVICE_CLIENT_OPTIONS_H_

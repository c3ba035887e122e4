#ifndef MOEPROBE_CLIENT_SERVICE_CLIENT_OPTIONS_H_
#define MOEPROBE_CLIENT_SERVICE_CLIENT_OPTIONS_H_

#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <memory>
#include <string>

namespace moeprobe {

// How a client reaches a server.
struct ClientOptions {
  std::string address;     // "unix:PATH" or "HOST:PORT"
  std::string token = {};  // goes with every call; empty: none
  // How connections are encrypted; null: they are not.
  std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;
  // How long a server that does not answer is tried again, in all.
  std::chrono::milliseconds patience{3000};
  // The same while a job is watched or arrays are read, each time anew: long
  // enough for a server to restart.
  std::chrono::milliseconds stream_patience{60000};
};

// Puts the token, if there is one, into a call that is about to be made.
void Authorize(grpc::ClientContext& context, const std::string& token);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SERVICE_CLIENT_OPTIONS_H_

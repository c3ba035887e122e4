#ifndef MOEPROBE_CLIENT_SERVICE_CONNECTION_FILES_H_
#define MOEPROBE_CLIENT_SERVICE_CONNECTION_FILES_H_

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/service/client_options.h"

namespace moeprobe {

// Files that say who calls, and by which the server is known; empty: none.
struct ConnectionFiles {
  std::filesystem::path token = {};
  std::filesystem::path ca = {};  // who signed the server's certificate, PEM
  std::filesystem::path certificate = {};  // of the caller, PEM
  std::filesystem::path key = {};          // of that certificate, PEM
  // A token may go where others on the network can read it.
  bool allow_unencrypted_network = false;
};

// Returns the token in a file. Errors name the file: those of reading it;
// FailedPrecondition if others than its owner can read it; InvalidArgument if
// it holds anything but a token.
absl::StatusOr<std::string> ReadTokenFile(const std::filesystem::path& path);

// Puts what the files say into `options`, whose address is set: a CA encrypts
// connections. Errors: those of the files; FailedPrecondition for a token that
// others on the network could read, for a key that others can read, and for a
// certificate or key without the other or without a CA.
absl::Status UseFiles(const ConnectionFiles& files, ClientOptions& options);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SERVICE_CONNECTION_FILES_H_

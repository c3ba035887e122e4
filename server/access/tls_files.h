#ifndef MOEPROBE_SERVER_ACCESS_TLS_FILES_H_
#define MOEPROBE_SERVER_ACCESS_TLS_FILES_H_

#include <grpcpp/security/server_credentials.h>

#include <filesystem>
#include <memory>

#include "absl/status/statusor.h"

namespace moeprobe {

// The files that a server encrypts with, PEM.
struct TlsFiles {
  std::filesystem::path certificate;  // its own, with those it was signed by
  std::filesystem::path key;
  // Those by which clients' certificates must be signed. Empty: clients show
  // none, and say by a token who they are.
  std::filesystem::path client_ca;
};

// Returns what a server encrypts its connections with: TLS 1.2 or newer. Where
// there is a client CA, no client gets further without a certificate that it
// signed and that is valid now.
//
// Errors name the file: those of reading it; InvalidArgument if it is no PEM of
// its kind, or the key is not the certificate's; FailedPrecondition if others
// than its owner can read the key.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> TlsCredentials(
    const TlsFiles& files);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ACCESS_TLS_FILES_H_

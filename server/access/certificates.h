#ifndef MOEPROBE_SERVER_ACCESS_CERTIFICATES_H_
#define MOEPROBE_SERVER_ACCESS_CERTIFICATES_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace moeprobe {

// Certificates for a lab that has no authority of its own: X.509, P-256 keys,
// signed with SHA-256. All files are PEM, new, and for their owner alone, mode
// 0600. Errors: AlreadyExists if a file is there already; InvalidArgument for
// names that cannot be in a certificate or a lifetime below a second; those of
// reading the CA's files; whatever else the system says.

// What was made.
struct CertificateFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

// Makes ca.crt and ca.key in `directory`, which is made if there is none.
absl::StatusOr<CertificateFiles> MakeCa(const std::filesystem::path& directory,
                                        absl::Duration lifetime);

// Makes server.crt and server.key, signed by the CA in `directory`, for a
// server that clients reach under these host names and IP addresses.
absl::StatusOr<CertificateFiles> MakeServerCertificate(
    const std::filesystem::path& directory,
    const std::vector<std::string>& hosts, absl::Duration lifetime);

// Makes {user}.crt and {user}.key, signed by the CA in `directory`.
absl::StatusOr<CertificateFiles> MakeClientCertificate(
    const std::filesystem::path& directory, const std::string& user,
    absl::Duration lifetime);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ACCESS_CERTIFICATES_H_

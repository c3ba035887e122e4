#include "server/access/tls_files.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/server_credentials.h>
#include <openssl/pem.h>
#include <openssl/types.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_content.h"
#include "core/base/status_macros.h"
#include "server/access/openssl_pointers.h"

namespace moeprobe {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 20;

absl::StatusOr<std::string> ReadPem(const std::filesystem::path& path) {
  MOEPROBE_ASSIGN_OR_RETURN(FileContent content, ReadFile(path, kMaxBytes));
  return content.bytes;
}

absl::StatusOr<X509Pointer> CertificateIn(const std::filesystem::path& path,
                                          const std::string& pem) {
  X509Pointer certificate(
      PEM_read_bio_X509(BioOf(pem).get(), nullptr, nullptr, nullptr));
  if (certificate != nullptr) return certificate;
  return absl::InvalidArgumentError(
      absl::StrCat(path.string(), ": expected a certificate, PEM"));
}

absl::Status CheckKey(const std::filesystem::path& path, const std::string& pem,
                      X509& certificate) {
  struct stat found{};
  if (stat(path.c_str(), &found) == 0 &&
      (found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        path.string(), ": others can read this key; chmod 600 it"));
  }
  const KeyPointer key(
      PEM_read_bio_PrivateKey(BioOf(pem).get(), nullptr, nullptr, nullptr));
  if (key == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.string(), ": expected a private key, PEM"));
  }
  if (X509_check_private_key(&certificate, key.get()) == 1) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path.string(), ": not the key of the certificate"));
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> TlsCredentials(
    const TlsFiles& files) {
  grpc::SslServerCredentialsOptions options;
  MOEPROBE_ASSIGN_OR_RETURN(const std::string chain,
                            ReadPem(files.certificate));
  MOEPROBE_ASSIGN_OR_RETURN(const X509Pointer certificate,
                            CertificateIn(files.certificate, chain));
  MOEPROBE_ASSIGN_OR_RETURN(const std::string key, ReadPem(files.key));
  MOEPROBE_RETURN_IF_ERROR(CheckKey(files.key, key, *certificate));
  options.pem_key_cert_pairs.push_back(
      {.private_key = key, .cert_chain = chain});
  if (!files.client_ca.empty()) {
    MOEPROBE_ASSIGN_OR_RETURN(options.pem_root_certs, ReadPem(files.client_ca));
    MOEPROBE_RETURN_IF_ERROR(
        CertificateIn(files.client_ca, options.pem_root_certs).status());
    options.client_certificate_request =
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  }
  return grpc::SslServerCredentials(options);
}

}  // namespace moeprobe

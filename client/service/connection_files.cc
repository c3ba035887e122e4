#include "client/service/connection_files.h"

#include <grpcpp/security/credentials.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/service/client_options.h"
#include "core/base/file_content.h"
#include "core/base/loopback.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 20;
constexpr size_t kLongestToken = 4096;

absl::Status CheckPrivate(const std::filesystem::path& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0 ||
      (found.st_mode & (S_IRWXG | S_IRWXO)) == 0) {
    return absl::OkStatus();  // reading it says what else is wrong
  }
  return absl::FailedPreconditionError(
      absl::StrCat(path.string(),
                   ": others than its owner can read it; chmod 600 it, and "
                   "think of it as known to them"));
}

absl::StatusOr<std::string> ReadPem(const std::filesystem::path& path) {
  MOEPROBE_ASSIGN_OR_RETURN(FileContent content, ReadFile(path, kMaxBytes));
  if (absl::StrContains(content.bytes, "-----BEGIN ")) return content.bytes;
  return absl::InvalidArgumentError(
      absl::StrCat(path.string(), ": expected PEM"));
}

// Whether nobody but this machine can read what is sent.
bool StaysHere(const std::string& address) {
  return absl::StartsWith(address, "unix:") || IsLoopback(address);
}

absl::Status UseToken(const ConnectionFiles& files, ClientOptions& options) {
  if (files.token.empty()) return absl::OkStatus();
  if (files.ca.empty() && !files.allow_unencrypted_network &&
      !StaysHere(options.address)) {
    return absl::FailedPreconditionError(absl::StrCat(
        options.address,
        " is on the network, and nothing is encrypted: give the server's CA "
        "with --ca, or say --allow-unencrypted-network if everybody there may "
        "read your token"));
  }
  MOEPROBE_ASSIGN_OR_RETURN(options.token, ReadTokenFile(files.token));
  return absl::OkStatus();
}

absl::Status UseTls(const ConnectionFiles& files, ClientOptions& options) {
  if (files.certificate.empty() != files.key.empty() ||
      (files.ca.empty() && !files.key.empty())) {
    return absl::FailedPreconditionError(
        "a certificate, its key and the server's CA go together: --ca, --cert "
        "and --key");
  }
  if (files.ca.empty()) return absl::OkStatus();
  grpc::SslCredentialsOptions tls;
  MOEPROBE_ASSIGN_OR_RETURN(tls.pem_root_certs, ReadPem(files.ca));
  if (!files.key.empty()) {
    MOEPROBE_RETURN_IF_ERROR(CheckPrivate(files.key));
    MOEPROBE_ASSIGN_OR_RETURN(tls.pem_private_key, ReadPem(files.key));
    MOEPROBE_ASSIGN_OR_RETURN(tls.pem_cert_chain, ReadPem(files.certificate));
  }
  options.credentials = grpc::SslCredentials(tls);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadTokenFile(const std::filesystem::path& path) {
  MOEPROBE_RETURN_IF_ERROR(CheckPrivate(path));
  MOEPROBE_ASSIGN_OR_RETURN(FileContent content, ReadFile(path, kMaxBytes));
  absl::StripAsciiWhitespace(&content.bytes);
  const std::string& token = content.bytes;
  if (!token.empty() && token.size() <= kLongestToken &&
      std::ranges::all_of(token, absl::ascii_isgraph)) {
    return token;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path.string(), ": expected one token, and nothing else"));
}

absl::Status UseFiles(const ConnectionFiles& files, ClientOptions& options) {
  MOEPROBE_RETURN_IF_ERROR(UseToken(files, options));
  return UseTls(files, options);
}

}  // namespace moeprobe

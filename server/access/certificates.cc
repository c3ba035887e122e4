#include "server/access/certificates.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/types.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/crash_point.h"
#include "core/base/file_content.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "server/access/new_file.h"
#include "server/access/openssl_pointers.h"
#include "server/access/user_name.h"

namespace moeprobe {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 20;
constexpr int64_t kVersion3 = 2;
constexpr int kSerialBits = 159;  // positive in 20 bytes, as RFC 5280 asks
constexpr size_t kLongestHost = 253;
// Clocks differ.
constexpr absl::Duration kBackdated = absl::Minutes(5);

// An extension and its value, as OpenSSL's configuration has it.
using Extension = std::pair<int, std::string>;

// A certificate and its key.
struct Pair {
  X509Pointer certificate;
  KeyPointer key;
};

// What a certificate says.
struct Contents {
  std::string common_name;
  std::vector<Extension> extensions;
  absl::Duration lifetime;
};

absl::Status OpensslFailed(const char* what) {
  return absl::InternalError(absl::StrCat("OpenSSL cannot make ", what));
}

bool SetNames(X509& certificate, const std::string& common_name) {
  X509_NAME* name = X509_get_subject_name(&certificate);
  return X509_NAME_add_entry_by_NID(
             name, NID_commonName, MBSTRING_UTF8,
             reinterpret_cast<const unsigned char*>(common_name.data()),
             static_cast<int>(common_name.size()), -1, 0) == 1;
}

bool SetSerial(X509& certificate) {
  const BnPointer number(BN_new());
  return number != nullptr &&
         BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ONE,
                 BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(),
                            X509_get_serialNumber(&certificate)) != nullptr;
}

bool SetTimes(X509& certificate, absl::Duration lifetime) {
  const absl::Time now = absl::Now();
  return ASN1_TIME_set(X509_getm_notBefore(&certificate),
                       absl::ToTimeT(now - kBackdated)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(&certificate),
                       absl::ToTimeT(now + lifetime)) != nullptr;
}

bool AddExtension(X509& certificate, X509& issuer, const Extension& extension) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const ExtensionPointer made(X509V3_EXT_conf_nid(
      nullptr, &context, extension.first, extension.second.c_str()));
  return made != nullptr && X509_add_ext(&certificate, made.get(), -1) == 1;
}

// Returns a certificate signed by `ca`, or by itself.
absl::StatusOr<Pair> Sign(const Contents& contents, const Pair* ca) {
  Pair made{.certificate = X509Pointer(X509_new()),
            .key = KeyPointer(EVP_EC_gen("P-256"))};
  if (made.certificate == nullptr || made.key == nullptr) {
    return OpensslFailed("a key");
  }
  X509& certificate = *made.certificate;
  X509& issuer = ca != nullptr ? *ca->certificate : certificate;
  EVP_PKEY* signer = ca != nullptr ? ca->key.get() : made.key.get();
  if (X509_set_version(&certificate, kVersion3) != 1 ||
      !SetNames(certificate, contents.common_name) || !SetSerial(certificate) ||
      !SetTimes(certificate, contents.lifetime) ||
      X509_set_issuer_name(&certificate, X509_get_subject_name(&issuer)) != 1 ||
      X509_set_pubkey(&certificate, made.key.get()) != 1) {
    return OpensslFailed("a certificate");
  }
  for (const Extension& extension : contents.extensions) {
    if (!AddExtension(certificate, issuer, extension)) {
      return OpensslFailed("an extension of a certificate");
    }
  }
  if (X509_sign(&certificate, signer, EVP_sha256()) == 0) {
    return OpensslFailed("a signature");
  }
  return made;
}

std::string BytesIn(const BioPointer& bio) {
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<size_t>(size)};
}

// A key might be one that somebody needs: nobody but its owner removes it.
absl::Status CheckNoHalf(const CertificateFiles& files) {
  std::error_code ignored;
  if (!std::filesystem::exists(files.key, ignored) ||
      std::filesystem::exists(files.certificate, ignored)) {
    return absl::OkStatus();
  }
  return absl::AlreadyExistsError(absl::StrCat(
      files.key.native(), ": is there without ", files.certificate.native(),
      ": if it was left when making both was cut short, remove it"));
}

absl::StatusOr<CertificateFiles> Write(const std::filesystem::path& directory,
                                       const std::string& name,
                                       const Pair& pair) {
  const BioPointer certificate(BIO_new(BIO_s_mem()));
  const BioPointer key(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(certificate.get(), pair.certificate.get()) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key.get(), pair.key.get(), nullptr, nullptr,
                                    0, nullptr, nullptr) != 1) {
    return OpensslFailed("PEM");
  }
  CertificateFiles files{.certificate = directory / (name + ".crt"),
                         .key = directory / (name + ".key")};
  MOEPROBE_RETURN_IF_ERROR(CheckNoHalf(files));
  MOEPROBE_RETURN_IF_ERROR(WriteNewFile(files.key, BytesIn(key)));
  CrashPoint("key-there-certificate-not");
  absl::Status written = WriteNewFile(files.certificate, BytesIn(certificate));
  if (written.ok()) return files;
  std::error_code ignored;
  std::filesystem::remove(files.key, ignored);
  return written;
}

absl::StatusOr<Pair> ReadCa(const std::filesystem::path& directory) {
  const auto path = directory / "ca";
  MOEPROBE_ASSIGN_OR_RETURN(const FileContent certificate,
                            ReadFile(path.string() + ".crt", kMaxBytes));
  MOEPROBE_ASSIGN_OR_RETURN(const FileContent key,
                            ReadFile(path.string() + ".key", kMaxBytes));
  Pair ca{.certificate = X509Pointer(PEM_read_bio_X509(
              BioOf(certificate.bytes).get(), nullptr, nullptr, nullptr)),
          .key = KeyPointer(PEM_read_bio_PrivateKey(
              BioOf(key.bytes).get(), nullptr, nullptr, nullptr))};
  if (ca.certificate != nullptr && ca.key != nullptr &&
      X509_check_private_key(ca.certificate.get(), ca.key.get()) == 1) {
    return ca;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path.string(), ".crt, ", path.string(),
                   ".key: expected a certificate and its key, PEM"));
}

absl::Status CheckLifetime(absl::Duration lifetime) {
  if (lifetime >= absl::Seconds(1)) return absl::OkStatus();
  return absl::InvalidArgumentError("lifetime: expected at least a second");
}

// "DNS:lab.example.org" or "IP:192.0.2.7".
absl::StatusOr<std::string> AlternativeName(const std::string& host) {
  in_addr four{};
  in6_addr six{};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1 ||
      inet_pton(AF_INET6, host.c_str(), &six) == 1) {
    return absl::StrCat("IP:", host);
  }
  const bool is_name = !host.empty() && host.size() <= kLongestHost &&
                       absl::ascii_isalnum(host[0]) &&
                       std::ranges::all_of(host, [](char c) {
                         return absl::ascii_isalnum(c) || c == '-' || c == '.';
                       });
  if (is_name) return absl::StrCat("DNS:", host);
  return absl::InvalidArgumentError(absl::StrCat(
      "host ", Quoted(host), ": expected a host name or an IP address"));
}

// Makes a certificate for one end of a connection.
absl::StatusOr<CertificateFiles> MakeLeaf(
    const std::filesystem::path& directory, const std::string& file_name,
    Contents contents) {
  MOEPROBE_RETURN_IF_ERROR(CheckLifetime(contents.lifetime));
  MOEPROBE_ASSIGN_OR_RETURN(const Pair ca, ReadCa(directory));
  contents.extensions.insert(contents.extensions.begin(),
                             {{NID_basic_constraints, "critical,CA:FALSE"},
                              {NID_key_usage, "critical,digitalSignature"},
                              {NID_authority_key_identifier, "keyid:always"}});
  MOEPROBE_ASSIGN_OR_RETURN(const Pair made, Sign(contents, &ca));
  return Write(directory, file_name, made);
}

}  // namespace

absl::StatusOr<CertificateFiles> MakeCa(const std::filesystem::path& directory,
                                        absl::Duration lifetime) {
  MOEPROBE_RETURN_IF_ERROR(CheckLifetime(lifetime));
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return absl::ErrnoToStatus(error.value(), directory.native());
  MOEPROBE_ASSIGN_OR_RETURN(
      const Pair made,
      Sign({.common_name = "moeprobe CA",
            .extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                           {NID_key_usage, "critical,keyCertSign,cRLSign"},
                           {NID_subject_key_identifier, "hash"}},
            .lifetime = lifetime},
           nullptr));
  return Write(directory, "ca", made);
}

absl::StatusOr<CertificateFiles> MakeServerCertificate(
    const std::filesystem::path& directory,
    const std::vector<std::string>& hosts, absl::Duration lifetime) {
  std::vector<std::string> names;
  for (const std::string& host : hosts) {
    MOEPROBE_ASSIGN_OR_RETURN(std::string name, AlternativeName(host));
    names.push_back(std::move(name));
  }
  if (names.empty()) {
    return absl::InvalidArgumentError("no host, expected at least one");
  }
  return MakeLeaf(
      directory, "server",
      {.common_name = "moeprobe-server",
       .extensions = {{NID_ext_key_usage, "serverAuth"},
                      {NID_subject_alt_name, absl::StrJoin(names, ",")}},
       .lifetime = lifetime});
}

absl::StatusOr<CertificateFiles> MakeClientCertificate(
    const std::filesystem::path& directory, const std::string& user,
    absl::Duration lifetime) {
  MOEPROBE_RETURN_IF_ERROR(CheckNewUserName(user));
  if (user == "ca" || user == "server") {
    return absl::InvalidArgumentError(absl::StrCat(
        "user ", user, ": its files would be those of the ", user));
  }
  return MakeLeaf(directory, user,
                  {.common_name = user,
                   .extensions = {{NID_ext_key_usage, "clientAuth"}},
                   .lifetime = lifetime});
}

}  // namespace moeprobe

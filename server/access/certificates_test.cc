#include "server/access/certificates.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/file_content.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/access/openssl_pointers.h"
#include "server/access/tls_files.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;
using StorePointer = std::unique_ptr<X509_STORE, OpensslFree<X509_STORE_free>>;
using VerifierPointer =
    std::unique_ptr<X509_STORE_CTX, OpensslFree<X509_STORE_CTX_free>>;

constexpr absl::Duration kLifetime = absl::Hours(1);

X509Pointer Read(const std::filesystem::path& path) {
  const std::string bytes = ReadFile(path, 1 << 20)->bytes;
  return X509Pointer(
      PEM_read_bio_X509(BioOf(bytes).get(), nullptr, nullptr, nullptr));
}

// What OpenSSL says of a certificate, held against that of a CA at a time.
int Verify(const X509Pointer& certificate, const X509Pointer& ca, int purpose,
           absl::Time when) {
  const StorePointer store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), ca.get());
  const VerifierPointer verifier(X509_STORE_CTX_new());
  X509_STORE_CTX_init(verifier.get(), store.get(), certificate.get(), nullptr);
  X509_STORE_CTX_set_purpose(verifier.get(), purpose);
  X509_STORE_CTX_set_time(verifier.get(), 0, absl::ToTimeT(when));
  X509_verify_cert(verifier.get());
  return X509_STORE_CTX_get_error(verifier.get());
}

class CertificatesTest : public testing::Test {
 protected:
  CertificateFiles Ca(const std::string& name = "a") {
    return *MakeCa(directory_.path() / name, kLifetime);
  }
  CertificateFiles Server(const std::string& ca = "a") {
    return *MakeServerCertificate(directory_.path() / ca,
                                  {"lab.example.org", "192.0.2.7", "::1"},
                                  kLifetime);
  }
  CertificateFiles Client(const std::string& user) {
    return *MakeClientCertificate(directory_.path() / "a", user, kLifetime);
  }

  static mode_t ModeOf(const std::filesystem::path& file) {
    struct stat found{};
    EXPECT_EQ(stat(file.c_str(), &found), 0);
    return found.st_mode & 0777U;
  }

  TemporaryDirectory directory_;
};

TEST_F(CertificatesTest, AreSignedByTheCaForTheirPurpose) {
  const X509Pointer ca = Read(Ca().certificate);
  const X509Pointer server = Read(Server().certificate);
  const X509Pointer client = Read(Client("bob").certificate);
  const absl::Time now = absl::Now();
  EXPECT_EQ(Verify(server, ca, X509_PURPOSE_SSL_SERVER, now), X509_V_OK);
  EXPECT_EQ(Verify(client, ca, X509_PURPOSE_SSL_CLIENT, now), X509_V_OK);
  EXPECT_NE(Verify(server, ca, X509_PURPOSE_SSL_CLIENT, now), X509_V_OK);
  EXPECT_NE(Verify(client, ca, X509_PURPOSE_SSL_SERVER, now), X509_V_OK);
}

TEST_F(CertificatesTest, AreNothingToAnotherCa) {
  Ca();
  const X509Pointer server = Read(Server().certificate);
  const X509Pointer other = Read(Ca("b").certificate);
  EXPECT_NE(Verify(server, other, X509_PURPOSE_SSL_SERVER, absl::Now()),
            X509_V_OK);
}

TEST_F(CertificatesTest, EndWithTheirLifetime) {
  const X509Pointer ca = Read(
      MakeCa(directory_.path() / "a", absl::Hours(24 * 3652))->certificate);
  const X509Pointer client = Read(Client("bob").certificate);
  const absl::Time end = absl::Now() + kLifetime;
  EXPECT_EQ(Verify(client, ca, X509_PURPOSE_SSL_CLIENT, end - absl::Minutes(1)),
            X509_V_OK);
  EXPECT_EQ(Verify(client, ca, X509_PURPOSE_SSL_CLIENT, end + absl::Minutes(1)),
            X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST_F(CertificatesTest, NameHostsAndUsers) {
  Ca();
  const X509Pointer server = Read(Server().certificate);
  EXPECT_EQ(X509_check_host(server.get(), "lab.example.org", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(server.get(), "example.org", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "192.0.2.7", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "::1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "127.0.0.1", 0), 0);
  const X509Pointer client = Read(Client("bob").certificate);
  std::string name(10, ' ');
  const int size = X509_NAME_get_text_by_NID(
      X509_get_subject_name(client.get()), NID_commonName, name.data(),
      static_cast<int>(name.size()));
  EXPECT_EQ(name.substr(0, size), "bob");
}

TEST_F(CertificatesTest, AreForTheirOwnerAlone) {
  const mode_t before = umask(0);
  for (const CertificateFiles& files : {Ca(), Server(), Client("bob")}) {
    EXPECT_EQ(ModeOf(files.certificate), 0600U);
    EXPECT_EQ(ModeOf(files.key), 0600U);
  }
  umask(before);
}

TEST_F(CertificatesTest, ReplaceNothing) {
  const auto ca = Ca();
  const std::string key = ReadFile(ca.key, 1 << 20)->bytes;
  EXPECT_TRUE(absl::IsAlreadyExists(
      MakeCa(directory_.path() / "a", kLifetime).status()));
  EXPECT_EQ(ReadFile(ca.key, 1 << 20)->bytes, key);
  Client("bob");
  std::filesystem::remove(directory_.path() / "a/bob.key");
  EXPECT_TRUE(absl::IsAlreadyExists(
      MakeClientCertificate(directory_.path() / "a", "bob", kLifetime)
          .status()));
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "a/bob.key"));
}

TEST_F(CertificatesTest, RefuseNamesThatSayMore) {
  Ca();
  for (const char* host :
       {"", "a,DNS:evil.org", "a b", "*", "-a", "a/b", "a:1"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        MakeServerCertificate(directory_.path() / "a", {host}, kLifetime)
            .status()))
        << host;
  }
  for (const char* user :
       {"", "../bob", "a/CN=root", "uid-0", "ca", "server"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        MakeClientCertificate(directory_.path() / "a", user, kLifetime)
            .status()))
        << user;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(
      MakeServerCertificate(directory_.path() / "a", {}, kLifetime).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      MakeCa(directory_.path() / "c", absl::ZeroDuration()).status()));
}

TEST_F(CertificatesTest, NeedTheirCa) {
  EXPECT_TRUE(absl::IsNotFound(
      MakeClientCertificate(directory_.path() / "a", "bob", kLifetime)
          .status()));
}

TEST_F(CertificatesTest, ServeAServer) {
  const auto ca = Ca();
  const auto server = Server();
  EXPECT_TRUE(TlsCredentials({.certificate = server.certificate,
                              .key = server.key,
                              .client_ca = ca.certificate})
                  .ok());
}

TEST_F(CertificatesTest, AreRefusedWhereTheyDoNotFit) {
  const auto ca = Ca();
  const auto server = Server();
  const auto why = [](const TlsFiles& files) {
    const auto made = TlsCredentials(files);
    EXPECT_FALSE(made.ok());
    return std::string(made.status().message());
  };
  EXPECT_THAT(
      why({.certificate = server.certificate, .key = ca.key, .client_ca = ""}),
      HasSubstr("ca.key: not the key"));
  EXPECT_THAT(
      why({.certificate = server.key, .key = server.key, .client_ca = ""}),
      HasSubstr("server.key: expected a certificate"));
  EXPECT_THAT(why({.certificate = server.certificate,
                   .key = server.key,
                   .client_ca = server.key}),
              HasSubstr("server.key: expected a certificate"));
  std::filesystem::permissions(server.key,
                               static_cast<std::filesystem::perms>(0640));
  EXPECT_THAT(why({.certificate = server.certificate,
                   .key = server.key,
                   .client_ca = ""}),
              HasSubstr("chmod 600"));
}

}  // namespace
}  // namespace moeprobe

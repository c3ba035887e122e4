#ifndef MOEPROBE_SERVER_ACCESS_OPENSSL_POINTERS_H_
#define MOEPROBE_SERVER_ACCESS_OPENSSL_POINTERS_H_

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace moeprobe {

// Frees what OpenSSL made.
template <auto kFree>
struct OpensslFree {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};

using BioPointer = std::unique_ptr<BIO, OpensslFree<BIO_free>>;
using BnPointer = std::unique_ptr<BIGNUM, OpensslFree<BN_free>>;
using ExtensionPointer =
    std::unique_ptr<X509_EXTENSION, OpensslFree<X509_EXTENSION_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using X509Pointer = std::unique_ptr<X509, OpensslFree<X509_free>>;

// Reads from `bytes`, which must outlive the result.
inline BioPointer BioOf(const std::string& bytes) {
  return BioPointer(
      BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ACCESS_OPENSSL_POINTERS_H_

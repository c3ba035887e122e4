#include "core/base/sha256.h"

#include <openssl/evp.h>
#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "core/base/file_descriptor.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;

// The digest calls of OpenSSL fail only where memory is exhausted.
void Require(bool succeeded) {
  if (!succeeded) std::abort();
}

}  // namespace

struct Sha256::Context {
  EVP_MD_CTX* digest = EVP_MD_CTX_new();

  Context() {
    Require(digest != nullptr);
    Require(EVP_DigestInit_ex(digest, EVP_sha256(), nullptr) == 1);
  }
  ~Context() { EVP_MD_CTX_free(digest); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}

Sha256::~Sha256() = default;

void Sha256::Update(std::string_view bytes) {
  Require(EVP_DigestUpdate(context_->digest, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::Hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  Require(EVP_DigestFinal_ex(context_->digest, digest.data(), &size) == 1);
  return absl::BytesToHexString(
      {reinterpret_cast<const char*>(digest.data()), size});
}

std::string Sha256Hex(std::string_view bytes) {
  Sha256 sha256;
  sha256.Update(bytes);
  return sha256.Hex();
}

absl::StatusOr<std::string> Sha256OfFile(const std::filesystem::path& path) {
  MOEPROBE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenRegularFile(path));
  Sha256 sha256;
  std::vector<char> buffer(kReadBytes);
  for (;;) {
    MOEPROBE_ASSIGN_OR_RETURN(const size_t size, ReadSome(file, buffer, path));
    if (size == 0) return sha256.Hex();
    sha256.Update({buffer.data(), size});
  }
}

}  // namespace moeprobe

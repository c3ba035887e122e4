#include "server/access/token.h"

#include <openssl/crypto.h>
#include <sys/random.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "storage/user_store.h"

namespace moeprobe {
namespace {

constexpr std::string_view kPrefix = "mp_";
constexpr size_t kIdBytes = 8;
constexpr size_t kSecretBytes = 32;
constexpr size_t kIdDigits = 2 * kIdBytes;
constexpr size_t kTokenDigits =
    kPrefix.size() + kIdDigits + 1 + 2 * kSecretBytes;

bool IsHexadecimal(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
  });
}

}  // namespace

absl::StatusOr<std::string> NewToken() {
  std::array<char, kIdBytes + kSecretBytes> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) !=
      static_cast<ssize_t>(bytes.size())) {
    return absl::ErrnoToStatus(errno, "random bytes");
  }
  const std::string digits =
      absl::BytesToHexString({bytes.data(), bytes.size()});
  return absl::StrCat("mp_", digits.substr(0, kIdDigits), "_",
                      digits.substr(kIdDigits));
}

std::optional<std::string> TokenId(const std::string& token) {
  const std::string_view text = token;
  if (text.size() != kTokenDigits || !text.starts_with(kPrefix)) {
    return std::nullopt;
  }
  const std::string_view id = text.substr(kPrefix.size(), kIdDigits);
  const std::string_view rest = text.substr(kPrefix.size() + kIdDigits);
  if (rest[0] != '_' || !IsHexadecimal(id) || !IsHexadecimal(rest.substr(1))) {
    return std::nullopt;
  }
  return std::string(id);
}

StoredToken StoredFormOf(const std::string& token) {
  return {.id = TokenId(token).value_or(""), .sha256 = Sha256Hex(token)};
}

bool Matches(const std::string& token, const StoredToken& stored) {
  const std::string sha256 = Sha256Hex(token);
  return sha256.size() == stored.sha256.size() &&
         CRYPTO_memcmp(sha256.data(), stored.sha256.data(), sha256.size()) == 0;
}

}  // namespace moeprobe

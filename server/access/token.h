#ifndef MOEPROBE_SERVER_ACCESS_TOKEN_H_
#define MOEPROBE_SERVER_ACCESS_TOKEN_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "storage/user_store.h"

namespace moeprobe {

// Tokens are "mp_{id}_{secret}": an id of 64 bits to find them by, and a secret
// of 256 random bits, both in hexadecimal. Nobody guesses 256 bits, so one pass
// of SHA-256 keeps them as well as a slow digest would.

// Returns a new token.
absl::StatusOr<std::string> NewToken();

// Returns the id of `token`; nullopt if it is none.
std::optional<std::string> TokenId(const std::string& token);

// Returns what is kept of `token`, which is one.
StoredToken StoredFormOf(const std::string& token);

// Whether `token` is the one that `stored` was made of. Takes the same time
// wherever the two differ.
bool Matches(const std::string& token, const StoredToken& stored);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ACCESS_TOKEN_H_

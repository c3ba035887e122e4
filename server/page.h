#ifndef MOEPROBE_SERVER_PAGE_H_
#define MOEPROBE_SERVER_PAGE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace moeprobe {

// Returns how many entries a page has: 50 for 0, at most 1000.
// InvalidArgument if `page_size` is negative.
absl::StatusOr<int> PageSize(int32_t page_size);

// Returns an opaque token with which the next page of `method` starts after
// `key`. It is a place in an order and no right to anything: who makes one up
// begins elsewhere among what they may see anyway.
std::string PageToken(const std::string& method, const std::string& key);

// Returns the key in `token`; "" for an empty token, the first page.
// InvalidArgument if it is not a token of `method`.
absl::StatusOr<std::string> ParsePageToken(const std::string& method,
                                           const std::string& token);

// The same for keys that are numbers, with INT64_MAX for the first page: pages
// that go from new to old.
absl::StatusOr<int64_t> ParsePageTokenNumber(const std::string& method,
                                             const std::string& token);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_PAGE_H_

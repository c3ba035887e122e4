#include "server/data_resolution.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"
#include "moeprobe/v1/analysis.pb.h"
#include "server/data_catalog.h"
#include "server/resource_name.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

constexpr int64_t kDefaultTokens = 16384;
constexpr int64_t kDefaultSequenceLength = 512;
constexpr int64_t kMaxSequenceLength = int64_t{1} << 20;
constexpr int64_t kMaxTokens = int64_t{1} << 31;

void CheckTokens(int64_t tokens, int64_t window, const std::string& field,
                 Violations& violations) {
  if (tokens == -1) return;
  if (tokens < 1 || tokens > kMaxTokens) {
    violations.Add(field,
                   absl::StrCat(tokens, " is out of range, expected 1 to ",
                                kMaxTokens, ", or -1 for all"));
  } else if (tokens < window) {
    violations.Add(
        field,
        absl::StrCat(tokens, " tokens do not fill one window of ", window));
  }
}

void CheckWindows(const v1::DataSpec& data, const std::string& field,
                  Violations& violations) {
  const int64_t length = data.sequence_length();
  const bool is_length = length >= 2 && length <= kMaxSequenceLength;
  if (!is_length) {
    violations.Add(field + ".sequence_length",
                   absl::StrCat(length, " is out of range, expected 2 to ",
                                kMaxSequenceLength));
  }
  // Nothing is held against a window that cannot be.
  const int64_t window = is_length ? length : 1;
  CheckTokens(data.tokens(), window, field + ".tokens", violations);
  const int64_t most = is_length ? length - 1 : kMaxSequenceLength - 1;
  const int64_t skipped = data.skip_first();
  if (skipped < 0 || skipped > most) {
    violations.Add(field + ".skip_first",
                   absl::StrCat(skipped, " is out of range, expected 0 to ",
                                most, ", less than a window"));
  }
}

}  // namespace

std::string ResolveDataset(const std::string& name, bool is_text,
                           const std::string& field, DataCatalog& catalog,
                           Violations& violations) {
  const auto found = catalog.Find(name);
  if (!found.ok()) {
    violations.Add(field, found.status());
    return name;
  }
  if (found->is_text != is_text) {
    violations.Add(field, absl::StrCat(Quoted(name), " is ",
                                       is_text ? "token ids, expected text"
                                               : "text, expected token ids"));
  }
  return DatasetName(found->sha256);
}

v1::DataSpec ResolveData(const v1::DataSpec& data, const std::string& field,
                         DataCatalog& catalog, Violations& violations) {
  v1::DataSpec result = data;
  if (!data.has_tokens()) result.set_tokens(kDefaultTokens);
  if (!data.has_sequence_length()) {
    result.set_sequence_length(kDefaultSequenceLength);
  }
  result.set_skip_first(data.skip_first());
  CheckWindows(result, field, violations);
  if (result.has_text()) {
    *result.mutable_text() =
        ResolveDataset(data.text(), true, field + ".text", catalog, violations);
  } else if (result.has_ids()) {
    *result.mutable_ids() =
        ResolveDataset(data.ids(), false, field + ".ids", catalog, violations);
  } else {
    violations.Add(field, "neither text nor ids, expected one of the two");
  }
  return result;
}

}  // namespace moeprobe

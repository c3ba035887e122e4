#include "core/base/token_windows.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

static_assert(std::endian::native == std::endian::little,
              "digests are of little-endian ids");

constexpr int64_t kAllTokens = -1;

absl::Status CheckOptions(const WindowOptions& options) {
  if (options.tokens < 1 && options.tokens != kAllTokens) {
    return absl::InvalidArgumentError(
        absl::StrCat("tokens: is ", options.tokens,
                     ", expected a positive number or -1 for all"));
  }
  if (options.sequence_length < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("sequence_length: is ", options.sequence_length,
                     ", expected a positive number"));
  }
  if (options.skip_first < 0 || options.skip_first >= options.sequence_length) {
    return absl::InvalidArgumentError(absl::StrCat(
        "skip_first: is ", options.skip_first,
        ", expected at least 0 and less than sequence_length, which is ",
        options.sequence_length));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::span<const int32_t>> WholeWindows(
    std::span<const int32_t> ids, const WindowOptions& options) {
  MOEPROBE_RETURN_IF_ERROR(CheckOptions(options));
  auto kept = static_cast<int64_t>(ids.size());
  if (options.tokens != kAllTokens && options.tokens < kept) {
    kept = options.tokens;
  }
  kept -= kept % options.sequence_length;
  if (kept == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "tokens: ", ids.size(), " ids given and tokens is ", options.tokens,
        ", expected enough for one window of sequence_length ",
        options.sequence_length));
  }
  return ids.first(static_cast<size_t>(kept));
}

absl::StatusOr<std::vector<int32_t>> CutWindows(std::vector<int32_t> ids,
                                                const WindowOptions& options) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::span<const int32_t> kept,
                            WholeWindows(ids, options));
  ids.resize(kept.size());
  return ids;
}

std::string DataFingerprint(std::span<const int32_t> cut_ids,
                            const WindowOptions& options) {
  Sha256 sha256;
  sha256.Update(absl::StrCat("moeprobe windows: length ",
                             options.sequence_length, ", skip ",
                             options.skip_first, "\n"));
  sha256.Update({reinterpret_cast<const char*>(cut_ids.data()),
                 cut_ids.size() * sizeof(int32_t)});
  return sha256.Hex();
}

}  // namespace moeprobe

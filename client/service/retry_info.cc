#include "client/service/retry_info.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace moeprobe {

std::string RoughText(absl::Duration delay) {
  const int64_t seconds = absl::ToInt64Seconds(delay);
  const auto in = [&](int64_t unit) { return (seconds + unit / 2) / unit; };
  if (in(1) < 100) return absl::StrCat(in(1), " s");
  if (in(60) < 100) return absl::StrCat(in(60), " min");
  if (in(3600) < 100) return absl::StrCat(in(3600), " h");
  return absl::StrCat(in(86'400), " days");
}

}  // namespace moeprobe

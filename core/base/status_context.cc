#include "core/base/status_context.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace moeprobe {

absl::Status WithContext(const absl::Status& status, std::string_view where) {
  if (status.ok()) return status;
  absl::Status result(status.code(),
                      absl::StrCat(std::string(where), ": ", status.message()));
  status.ForEachPayload([&](absl::string_view key, const absl::Cord& value) {
    result.SetPayload(key, value);
  });
  return result;
}

}  // namespace moeprobe

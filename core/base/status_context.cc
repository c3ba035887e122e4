#include "core/base/status_context.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace moeprobe {

absl::Status WithContext(const absl::Status& status, std::string_view where) {
  if (status.ok()) return status;
  return {status.code(),
          absl::StrCat(std::string(where), ": ", status.message())};
}

}  // namespace moeprobe

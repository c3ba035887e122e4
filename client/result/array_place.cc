#include "client/result/array_place.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace moeprobe {
namespace {

// The layer of "layer3"; nullopt for anything else.
std::optional<int64_t> LayerNamed(absl::string_view step) {
  int64_t layer = 0;
  if (!absl::ConsumePrefix(&step, "layer") || !absl::SimpleAtoi(step, &layer)) {
    return std::nullopt;
  }
  return layer;
}

}  // namespace

std::optional<ArrayPlace> PlaceOf(const std::string& array_name) {
  const absl::string_view name = array_name;
  // From the end: a prefix may hold the like, of a variant by such a name.
  size_t end = name.rfind('/');
  while (end != absl::string_view::npos && end > 0) {
    const size_t slash = name.rfind('/', end - 1);
    const size_t begin = slash == absl::string_view::npos ? 0 : slash + 1;
    if (const auto layer = LayerNamed(name.substr(begin, end - begin))) {
      return ArrayPlace{.prefix = std::string(name.substr(0, begin)),
                        .layer = *layer,
                        .quantity = std::string(name.substr(end + 1))};
    }
    end = slash;
  }
  return std::nullopt;
}

}  // namespace moeprobe

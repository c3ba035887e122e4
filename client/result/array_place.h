#ifndef MOEPROBE_CLIENT_RESULT_ARRAY_PLACE_H_
#define MOEPROBE_CLIENT_RESULT_ARRAY_PLACE_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace moeprobe {

// What the name of a layer's array says: "data1/layer3/grassmann/routed" is
// "grassmann/routed" of layer 3 under the prefix "data1/".
struct ArrayPlace {
  std::string prefix;
  int64_t layer = 0;
  std::string quantity;

  auto operator<=>(const ArrayPlace&) const = default;
};

// Takes a name apart; nullopt for one that has no layer.
std::optional<ArrayPlace> PlaceOf(const std::string& array_name);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_ARRAY_PLACE_H_

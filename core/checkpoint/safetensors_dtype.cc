#include "core/checkpoint/safetensors_dtype.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace moeprobe {
namespace {

// The Dtype enumeration of safetensors 0.6.
// NOLINTBEGIN(modernize-use-designated-initializers): a table of name and bits.
constexpr std::array kDtypes = std::to_array<SafetensorsDtype>({
    {"BOOL", 8},    {"F4", 4},          {"F6_E2M3", 6},     {"F6_E3M2", 6},
    {"U8", 8},      {"I8", 8},          {"F8_E5M2", 8},     {"F8_E4M3", 8},
    {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},        {"BF16", 16},       {"I32", 32},
    {"U32", 32},    {"F32", 32},        {"C64", 64},        {"F64", 64},
    {"I64", 64},    {"U64", 64},
});
// NOLINTEND(modernize-use-designated-initializers)

}  // namespace

const SafetensorsDtype* FindSafetensorsDtype(std::string_view name) {
  const auto* found = std::ranges::find(kDtypes, name, &SafetensorsDtype::name);
  return found == kDtypes.end() ? nullptr : found;
}

}  // namespace moeprobe

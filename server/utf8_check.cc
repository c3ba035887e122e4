#include "server/utf8_check.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace moeprobe {
namespace {

// Length of the sequence that `first` starts, and what its second byte may be.
struct Lead {
  size_t length = 0;  // 0: no sequence starts so
  uint8_t low = 0x80;
  uint8_t high = 0xBF;
};

Lead LeadOf(uint8_t first) {
  if (first < 0x80) return {.length = 1};
  if (first < 0xC2) return {};
  if (first < 0xE0) return {.length = 2};
  if (first == 0xE0) return {.length = 3, .low = 0xA0};
  if (first == 0xED) return {.length = 3, .high = 0x9F};
  if (first < 0xF0) return {.length = 3};
  if (first == 0xF0) return {.length = 4, .low = 0x90};
  if (first == 0xF4) return {.length = 4, .high = 0x8F};
  if (first < 0xF4) return {.length = 4};
  return {};
}

bool IsSequence(std::string_view text, const Lead& lead) {
  if (lead.length == 0 || text.size() < lead.length) return false;
  for (size_t i = 1; i < lead.length; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    const uint8_t low = i == 1 ? lead.low : 0x80;
    const uint8_t high = i == 1 ? lead.high : 0xBF;
    if (byte < low || byte > high) return false;
  }
  return true;
}

}  // namespace

std::optional<int64_t> FindInvalidUtf8(std::string_view text) {
  size_t position = 0;
  while (position < text.size()) {
    const Lead lead = LeadOf(static_cast<uint8_t>(text[position]));
    if (!IsSequence(text.substr(position), lead)) {
      return static_cast<int64_t>(position);
    }
    position += lead.length;
  }
  return std::nullopt;
}

}  // namespace moeprobe

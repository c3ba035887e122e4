#include "core/base/utf8.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace moeprobe {
namespace {

// Leading bytes by length: which bits mark them, and the smallest code point
// that needs the length.
struct Form {
  uint8_t mask;
  uint8_t mark;
  size_t size_bytes;
  char32_t smallest;
};
// NOLINTBEGIN(modernize-use-designated-initializers): rows of a table.
constexpr std::array<Form, 4> kForms = {{{0x80, 0x00, 1, 0},
                                         {0xE0, 0xC0, 2, 0x80},
                                         {0xF0, 0xE0, 3, 0x800},
                                         {0xF8, 0xF0, 4, 0x10000}}};
// NOLINTEND(modernize-use-designated-initializers)

constexpr size_t kMaxCharacterBytes = kForms.back().size_bytes;

bool IsScalarValue(char32_t code_point) {
  return code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF);
}

std::optional<Utf8Character> DecodeAs(const Form& form, std::string_view text) {
  if (text.size() < form.size_bytes) return std::nullopt;
  char32_t code_point =
      static_cast<uint8_t>(text[0]) & static_cast<uint8_t>(~form.mask);
  for (const char next : text.substr(1, form.size_bytes - 1)) {
    const auto byte = static_cast<uint8_t>(next);
    if ((byte & 0xC0U) != 0x80U) return std::nullopt;
    code_point = (code_point << 6U) | (byte & 0x3FU);
  }
  if (code_point < form.smallest || !IsScalarValue(code_point)) {
    return std::nullopt;
  }
  return Utf8Character{.code_point = code_point, .size_bytes = form.size_bytes};
}

}  // namespace

std::optional<Utf8Character> DecodeUtf8(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto lead = static_cast<uint8_t>(text[0]);
  for (const Form& form : kForms) {
    if ((lead & form.mask) == form.mark) return DecodeAs(form, text);
  }
  return std::nullopt;
}

std::optional<int64_t> FindInvalidUtf8(std::string_view text) {
  size_t position = 0;
  while (position < text.size()) {
    const auto character = DecodeUtf8(text.substr(position));
    if (!character) return static_cast<int64_t>(position);
    position += character->size_bytes;
  }
  return std::nullopt;
}

void Utf8Check::Append(std::string_view piece) {
  while (!invalid_ && !begun_.empty() && !piece.empty()) {
    begun_.push_back(piece.front());
    piece.remove_prefix(1);
    if (DecodeUtf8(begun_)) {
      position_ += static_cast<int64_t>(begun_.size());
      begun_.clear();
    } else if (begun_.size() == kMaxCharacterBytes) {
      invalid_ = position_;
    }
  }
  if (invalid_) return;
  const auto invalid = FindInvalidUtf8(piece);
  const auto size_bytes = static_cast<int64_t>(piece.size());
  position_ += invalid.value_or(size_bytes);
  if (!invalid) return;
  if (size_bytes - *invalid < static_cast<int64_t>(kMaxCharacterBytes)) {
    begun_ = piece.substr(static_cast<size_t>(*invalid));
  } else {
    invalid_ = position_;
  }
}

std::optional<int64_t> Utf8Check::FindInvalid() const {
  if (!invalid_ && !begun_.empty()) return position_;
  return invalid_;
}

size_t CountCharacters(std::string_view text) {
  size_t count = 0;
  while (!text.empty()) {
    const auto character = DecodeUtf8(text);
    text.remove_prefix(character ? character->size_bytes : 1);
    ++count;
  }
  return count;
}

bool IsControl(char32_t code_point) {
  const auto between = [code_point](char32_t low, char32_t high) {
    return low <= code_point && code_point <= high;
  };
  return between(0x00, 0x1F) || between(0x7F, 0x9F) ||
         between(0x202A, 0x202E) || between(0x2066, 0x2069);
}

}  // namespace moeprobe

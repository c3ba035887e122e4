#ifndef MOEPROBE_CORE_BASE_UTF8_H_
#define MOEPROBE_CORE_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace moeprobe {

// A character and the bytes it took.
struct Utf8Character {
  char32_t code_point = 0;
  size_t size_bytes = 0;
};

// Decodes the first character of `text`: nothing if `text` is empty or does not
// start with well-formed UTF-8 (overlong forms and surrogates are not).
std::optional<Utf8Character> DecodeUtf8(std::string_view text);

// Returns the position of the first byte that is not part of well-formed UTF-8,
// or nothing if all of `text` is.
std::optional<int64_t> FindInvalidUtf8(std::string_view text);

// Finds what FindInvalidUtf8 does in a text that comes in pieces, which may end
// inside a character. Keeps a few bytes of it.
class Utf8Check {
 public:
  void Append(std::string_view piece);

  // Of the pieces so far, if nothing comes after them.
  std::optional<int64_t> FindInvalid() const;

 private:
  std::string begun_;     // bytes at the end that are no character yet
  int64_t position_ = 0;  // of the first byte behind whole characters
  std::optional<int64_t> invalid_;
};

// Returns how many characters `text` has; a byte that is not UTF-8 counts as
// one.
size_t CountCharacters(std::string_view text);

// Whether a character controls a terminal or hides text: C0 and C1 controls,
// DEL, and those that reorder text (bidirectional embeddings and isolates).
bool IsControl(char32_t code_point);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_UTF8_H_

#include "core/base/printable.h"

#include <string>
#include <string_view>

#include "core/base/utf8.h"

namespace moeprobe {
namespace {

constexpr std::string_view kReplacement = "\uFFFD";

std::string Printable(std::string_view text, std::string_view line_break) {
  std::string printable;
  while (!text.empty()) {
    const auto character = DecodeUtf8(text);
    const std::string_view bytes =
        text.substr(0, character ? character->size_bytes : 1);
    if (bytes == "\n") {
      printable += line_break;
    } else if (bytes == "\t" || bytes == "\r") {
      printable += ' ';
    } else if (!character || IsControl(character->code_point)) {
      printable += kReplacement;
    } else {
      printable += bytes;
    }
    text.remove_prefix(bytes.size());
  }
  return printable;
}

}  // namespace

std::string PrintableLine(std::string_view text) {
  return Printable(text, " ");
}

std::string PrintableLines(std::string_view text) {
  return Printable(text, "\n");
}

}  // namespace moeprobe

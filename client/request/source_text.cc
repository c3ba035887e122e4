#include "client/request/source_text.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/base/utf8.h"

namespace moeprobe {
namespace {

constexpr size_t kLargestFile = size_t{1} << 20U;
constexpr char32_t kByteOrderMark = 0xFEFF;

bool IsWideEncoding(std::string_view text) {
  return text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF") ||
         text.starts_with(std::string_view("\0\0\xFE\xFF", 4));
}

bool IsAllowed(char32_t code_point) {
  return code_point == '\t' || code_point == '\n' || code_point == '\r' ||
         !IsControl(code_point);
}

std::string WithoutByteOrderMark(std::string text) {
  const auto first = DecodeUtf8(text);
  if (first && first->code_point == kByteOrderMark) {
    text.erase(0, first->size_bytes);
  }
  return text;
}

}  // namespace

absl::StatusOr<SourceText> SourceText::Create(std::string text,
                                              std::string file) {
  SourceText source(WithoutByteOrderMark(std::move(text)), std::move(file));
  if (source.text_.size() > kLargestFile) {
    return source.Error(0, "the file is larger than 1 MiB");
  }
  if (IsWideEncoding(source.text_)) {
    return source.Error(0, "found UTF-16 or UTF-32, expected UTF-8");
  }
  MOEPROBE_RETURN_IF_ERROR(source.CheckCharacters());
  MOEPROBE_RETURN_IF_ERROR(source.CheckLines());
  return source;
}

SourceText::SourceText(std::string text, std::string file)
    : text_(std::move(text)), file_(std::move(file)), line_starts_{0} {
  for (size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') line_starts_.push_back(i + 1);
  }
}

absl::Status SourceText::CheckCharacters() const {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const size_t offset = text_.size() - rest.size();
    const auto character = DecodeUtf8(rest);
    if (!character) {
      return Error(offset,
                   absl::StrFormat("found the byte 0x%02X, expected UTF-8",
                                   static_cast<unsigned char>(rest[0])));
    }
    if (!IsAllowed(character->code_point)) {
      return Error(offset,
                   absl::StrFormat("control character U+%04X is not allowed",
                                   static_cast<int>(character->code_point)));
    }
    rest.remove_prefix(character->size_bytes);
  }
  return absl::OkStatus();
}

absl::Status SourceText::CheckLines() const {
  for (const size_t start : line_starts_) {
    const size_t first = text_.find_first_not_of(' ', start);
    if (first == std::string::npos) break;
    const size_t content = text_.find_first_not_of(" \t\r", start);
    const bool blank = content == std::string::npos || text_[content] == '\n';
    if (text_[first] == '\t' && !blank) {
      return Error(first, "found a tab, expected spaces to indent");
    }
    if (first == start && text_[first] == '%') {
      return Error(first, "directives (%) are not allowed");
    }
  }
  return absl::OkStatus();
}

size_t SourceText::OffsetOf(int line, int byte_column) const {
  const auto index = static_cast<size_t>(std::max(line, 0));
  if (index >= line_starts_.size()) return text_.size();
  const auto column = static_cast<size_t>(std::max(byte_column, 0));
  return std::min(line_starts_[index] + column, text_.size());
}

absl::Status SourceText::Error(size_t offset, const std::string& what) const {
  const auto after = std::ranges::upper_bound(line_starts_, offset);
  const size_t start = *(after - 1);
  const size_t column =
      CountCharacters(std::string_view(text_).substr(start, offset - start));
  return absl::InvalidArgumentError(absl::StrCat(
      file_, ":", after - line_starts_.begin(), ":", column + 1, ": ", what));
}

}  // namespace moeprobe

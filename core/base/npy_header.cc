#include "core/base/npy_header.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kPrefixBytes = 10;  // magic, version and length of format 1.0
constexpr size_t kMaxDimensions = 32;
// numpy aligns the numbers, and leaves room for the first dimension to grow.
constexpr size_t kAlignment = 64;
constexpr size_t kGrowthDigits = 21;

// Walks through the text of a header.
class Scanner {
 public:
  Scanner(std::string_view npy, size_t begin, size_t end)
      : npy_(npy.substr(0, end)), position_(begin) {}

  // Skips spaces, then `token` if it stands there.
  bool Accept(std::string_view token) {
    while (position_ < npy_.size() && npy_[position_] == ' ') ++position_;
    if (npy_.substr(position_, token.size()) != token) return false;
    position_ += token.size();
    return true;
  }

  absl::Status Expect(std::string_view token) {
    return Accept(token) ? absl::OkStatus() : Error(std::string(token));
  }

  absl::StatusOr<std::string> String() {
    MOEPROBE_RETURN_IF_ERROR(Expect("'"));
    const size_t end = npy_.find_first_of("'\\", position_);
    if (end == std::string_view::npos || npy_[end] != '\'') {
      return Error("a plain string");
    }
    std::string text(npy_.substr(position_, end - position_));
    position_ = end + 1;
    return text;
  }

  absl::StatusOr<bool> Boolean() {
    if (Accept("True")) return true;
    if (Accept("False")) return false;
    return Error("True or False");
  }

  absl::StatusOr<int64_t> Size() {
    Accept("");
    int64_t value = 0;
    const char* begin = npy_.data() + position_;
    const auto [end, error] =
        std::from_chars(begin, npy_.data() + npy_.size(), value);
    if (error != std::errc() || value < 0 || *begin == '-') {
      return Error("a dimension in [0, 2^63)");
    }
    position_ += static_cast<size_t>(end - begin);
    return value;
  }

  // A tuple: (), (2,), (2, 3) or (2, 3,).
  absl::StatusOr<std::vector<int64_t>> Shape() {
    std::vector<int64_t> shape;
    MOEPROBE_RETURN_IF_ERROR(Expect("("));
    while (!Accept(")")) {
      if (shape.size() == kMaxDimensions) return Error("at most 32 dimensions");
      MOEPROBE_ASSIGN_OR_RETURN(const int64_t size, Size());
      shape.push_back(size);
      if (Accept(",")) continue;
      if (shape.size() == 1) return Error(", after the only dimension");
      MOEPROBE_RETURN_IF_ERROR(Expect(")"));
      break;
    }
    return shape;
  }

  // Spaces and one line feed, up to where the numbers begin.
  absl::Status End() {
    if (!Accept("\n")) return Error("a line feed");
    return position_ == npy_.size() ? absl::OkStatus()
                                    : Error("the end of the header");
  }

  absl::Status Error(const std::string& expected) const {
    return absl::InvalidArgumentError(
        absl::StrCat("npy header: byte ", position_, " is ",
                     position_ < npy_.size() ? Quoted(npy_.substr(position_, 1))
                                             : "past the end",
                     ", expected ", expected));
  }

 private:
  std::string_view npy_;
  size_t position_;
};

// Which keys of the dictionary were read.
struct SeenKeys {
  bool descr = false, order = false, shape = false;
};

// Reads the value of `key`, which must be one not seen yet.
absl::Status ParseEntry(const std::string& key, Scanner& scanner,
                        SeenKeys& seen, NpyHeader& header) {
  if (key == "descr" && !std::exchange(seen.descr, true)) {
    MOEPROBE_ASSIGN_OR_RETURN(header.descr, scanner.String());
  } else if (key == "fortran_order" && !std::exchange(seen.order, true)) {
    MOEPROBE_ASSIGN_OR_RETURN(header.fortran_order, scanner.Boolean());
  } else if (key == "shape" && !std::exchange(seen.shape, true)) {
    MOEPROBE_ASSIGN_OR_RETURN(header.shape, scanner.Shape());
  } else {
    return scanner.Error("descr, fortran_order and shape, once each");
  }
  return absl::OkStatus();
}

absl::StatusOr<NpyHeader> ParseDictionary(Scanner& scanner) {
  NpyHeader header;
  SeenKeys seen;
  MOEPROBE_RETURN_IF_ERROR(scanner.Expect("{"));
  while (!scanner.Accept("}")) {
    MOEPROBE_ASSIGN_OR_RETURN(const std::string key, scanner.String());
    MOEPROBE_RETURN_IF_ERROR(scanner.Expect(":"));
    MOEPROBE_RETURN_IF_ERROR(ParseEntry(key, scanner, seen, header));
    if (scanner.Accept(",")) continue;
    MOEPROBE_RETURN_IF_ERROR(scanner.Expect("}"));
    break;
  }
  if (!seen.descr || !seen.order || !seen.shape) {
    return scanner.Error("descr, fortran_order and shape before the end");
  }
  return header;
}

// The little-endian number at `offset`.
size_t LengthAt(std::string_view npy, size_t offset, size_t bytes) {
  size_t length = 0;
  for (size_t i = bytes; i-- > 0;) {
    length = length << 8 | static_cast<unsigned char>(npy[offset + i]);
  }
  return length;
}

// "(3,)" as Python writes a tuple.
std::string TupleText(const std::vector<int64_t>& shape) {
  return absl::StrCat("(", absl::StrJoin(shape, ", "),
                      shape.size() == 1 ? ",)" : ")");
}

}  // namespace

absl::StatusOr<NpyHeader> ParseNpyHeader(std::string_view npy) {
  if (npy.size() < kPrefixBytes || !npy.starts_with(kMagic)) {
    return absl::InvalidArgumentError(
        absl::StrCat("npy: starts with ", Quoted(npy.substr(0, 8)),
                     ", expected the magic string of a .npy file"));
  }
  const size_t major = LengthAt(npy, 6, 1), minor = LengthAt(npy, 7, 1);
  if ((major != 1 && major != 2) || minor != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "npy: format ", major, ".", minor, ", expected 1.0 or 2.0"));
  }
  const size_t length_bytes = major == 1 ? 2 : 4;
  const size_t begin = kMagic.size() + 2 + length_bytes;
  const size_t end =
      begin + (npy.size() < begin ? 0 : LengthAt(npy, 8, length_bytes));
  if (end > kMaxNpyHeaderBytes) {
    return absl::InvalidArgumentError(absl::StrCat("npy: a header of ", end,
                                                   " bytes, expected at most ",
                                                   kMaxNpyHeaderBytes));
  }
  if (npy.size() < end) {
    return absl::InvalidArgumentError(absl::StrCat(
        "npy: ends inside its header, after ", npy.size(), " bytes"));
  }
  Scanner scanner(npy, begin, end);
  MOEPROBE_ASSIGN_OR_RETURN(NpyHeader header, ParseDictionary(scanner));
  MOEPROBE_RETURN_IF_ERROR(scanner.End());
  header.data_offset = end;
  return header;
}

std::string EncodeNpyHeader(std::string_view descr,
                            const std::vector<int64_t>& shape) {
  std::string text = absl::StrCat(
      "{'descr': '", std::string(descr),
      "', 'fortran_order': False, 'shape': ", TupleText(shape), ", }");
  if (!shape.empty()) {
    text.append(kGrowthDigits - absl::StrCat(shape.front()).size(), ' ');
  }
  const size_t used = (kPrefixBytes + text.size() + 1) % kAlignment;
  text.append(kAlignment - used, ' ');
  text.push_back('\n');

  std::string header(kMagic);
  header.append({1, 0, static_cast<char>(text.size() & 0xFF),
                 static_cast<char>(text.size() >> 8)});
  return header + text;
}

}  // namespace moeprobe

#include "core/base/npy.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/npy_header.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

static_assert(std::endian::native == std::endian::little,
              "arrays are written as they lie in memory");

std::string_view DescrOf(DataType type) {
  switch (type) {
    case DataType::kFloat64:
      return "<f8";
    case DataType::kFloat32:
      return "<f4";
    case DataType::kInt64:
      return "<i8";
  }
  return "";
}

std::optional<DataType> TypeOf(std::string_view descr) {
  for (const DataType type :
       {DataType::kFloat64, DataType::kFloat32, DataType::kInt64}) {
    if (descr == DescrOf(type)) return type;
  }
  return std::nullopt;
}

// OK if what follows the header, in so many bytes in all, is exactly the array
// it describes.
absl::Status CheckDataSize(int64_t npy_bytes, const NpyHeader& header,
                           int64_t element_bytes) {
  const int64_t found = npy_bytes - static_cast<int64_t>(header.data_offset);
  int64_t expected = element_bytes;
  for (const int64_t size : header.shape) {
    if (__builtin_mul_overflow(expected, size, &expected)) {
      return absl::InvalidArgumentError(
          absl::StrCat("npy: shape [", absl::StrJoin(header.shape, ", "),
                       "] needs more than 2^63 bytes"));
    }
  }
  if (found == expected) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("npy: ", found, " bytes after the header, shape [",
                   absl::StrJoin(header.shape, ", "), "] of ", header.descr,
                   " needs ", expected));
}

// Reads "<i4" and its like; nullopt if it is not an integer type of numpy.
std::optional<TokenIdLayout> IntegerLayoutOf(std::string_view descr) {
  if (descr.size() != 3) return std::nullopt;
  const char order = descr[0], kind = descr[1];
  const auto bytes = static_cast<size_t>(descr[2] - '0');
  if (kind != 'i' && kind != 'u') return std::nullopt;
  if (bytes == 1 ? order != '|' : order != '<' && order != '>') {
    return std::nullopt;
  }
  if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) return std::nullopt;
  return TokenIdLayout{
      .is_signed = kind == 'i', .is_big_endian = order == '>', .bytes = bytes};
}

// The integer at `data`, sign-extended to 64 bits.
uint64_t IntegerAt(const char* data, const TokenIdLayout& layout) {
  uint64_t value = 0;
  for (size_t i = 0; i < layout.bytes; ++i) {
    const size_t at = layout.is_big_endian ? i : layout.bytes - 1 - i;
    value = value << 8 | static_cast<unsigned char>(data[at]);
  }
  const size_t unused_bits = 64 - 8 * layout.bytes;
  if (!layout.is_signed) return value;
  return static_cast<uint64_t>(static_cast<int64_t>(value << unused_bits) >>
                               unused_bits);
}

absl::Status IdError(int64_t index, uint64_t id, const TokenIdLayout& layout) {
  return absl::InvalidArgumentError(
      absl::StrCat("npy: token id ", index, " is ",
                   layout.is_signed ? absl::StrCat(static_cast<int64_t>(id))
                                    : absl::StrCat(id),
                   ", expected a number in [0, 2^31)"));
}

// Moves bytes from the front of `piece` to the end of `begun` until that has so
// many; false if they were too few.
bool Fill(std::string& begun, size_t wanted, std::string_view& piece) {
  const size_t taken = std::min(piece.size(), wanted - begun.size());
  begun.append(piece.substr(0, taken));
  piece.remove_prefix(taken);
  return begun.size() == wanted;
}

// How the ids behind a header are stored, in a .npy of so many bytes.
absl::StatusOr<TokenIdLayout> TokenIdLayoutOf(const NpyHeader& header,
                                              int64_t npy_bytes) {
  const std::optional<TokenIdLayout> layout = IntegerLayoutOf(header.descr);
  if (!layout) {
    return absl::InvalidArgumentError(
        absl::StrCat("npy: elements are ", Quoted(header.descr),
                     ", expected an integer type for token ids"));
  }
  if (header.shape.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("npy: shape [", absl::StrJoin(header.shape, ", "),
                     "], expected one dimension for token ids"));
  }
  MOEPROBE_RETURN_IF_ERROR(
      CheckDataSize(npy_bytes, header, static_cast<int64_t>(layout->bytes)));
  return *layout;
}

}  // namespace

int64_t SizeOf(DataType type) { return type == DataType::kFloat32 ? 4 : 8; }

int64_t EntryCount(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

std::string EncodeNpy(const Array& array) {
  return EncodeNpyHeader(DescrOf(array.type), array.shape) + array.bytes;
}

absl::StatusOr<Array> DecodeNpy(std::string_view npy) {
  MOEPROBE_ASSIGN_OR_RETURN(NpyHeader header, ParseNpyHeader(npy));
  const std::optional<DataType> type = TypeOf(header.descr);
  if (!type) {
    return absl::InvalidArgumentError(
        absl::StrCat("npy: elements are ", Quoted(header.descr),
                     ", expected <f8, <f4 or <i8"));
  }
  if (header.fortran_order) {
    return absl::InvalidArgumentError(
        "npy: fortran_order is True, expected an array in C order");
  }
  MOEPROBE_RETURN_IF_ERROR(
      CheckDataSize(static_cast<int64_t>(npy.size()), header, SizeOf(*type)));
  return Array{.type = *type,
               .shape = std::move(header.shape),
               .bytes = std::string(npy.substr(header.data_offset))};
}

absl::StatusOr<std::vector<int32_t>> DecodeTokenIds(std::string_view npy) {
  MOEPROBE_ASSIGN_OR_RETURN(const NpyHeader header, ParseNpyHeader(npy));
  MOEPROBE_ASSIGN_OR_RETURN(
      const TokenIdLayout layout,
      TokenIdLayoutOf(header, static_cast<int64_t>(npy.size())));
  std::vector<int32_t> ids(static_cast<size_t>(header.shape[0]));
  const char* data = npy.data() + header.data_offset;
  for (size_t i = 0; i < ids.size(); ++i) {
    const uint64_t id = IntegerAt(data + i * layout.bytes, layout);
    if (id >> 31 != 0) return IdError(static_cast<int64_t>(i), id, layout);
    ids[i] = static_cast<int32_t>(id);
  }
  return ids;
}

void TokenIdCheck::Append(std::string_view piece) {
  if (is_in_header_) {
    if (!Fill(begun_, kMaxNpyHeaderBytes, piece)) return;
    ReadHeader();
  }
  AppendIds(piece);
}

absl::StatusOr<TokenIdSummary> TokenIdCheck::End() {
  if (is_in_header_) ReadHeader();
  MOEPROBE_RETURN_IF_ERROR(problem_);
  return seen_;
}

void TokenIdCheck::ReadHeader() {
  is_in_header_ = false;
  const std::string npy = std::exchange(begun_, {});
  const auto header = ParseNpyHeader(npy);
  const auto layout =
      header.ok() ? TokenIdLayoutOf(*header, size_bytes_) : header.status();
  problem_ = layout.status();
  if (!layout.ok()) return;
  layout_ = *layout;
  AppendIds(std::string_view(npy).substr(header->data_offset));
}

void TokenIdCheck::AppendIds(std::string_view piece) {
  if (!problem_.ok()) return;
  if (!begun_.empty()) {
    if (!Fill(begun_, layout_.bytes, piece)) return;
    CheckIds(std::exchange(begun_, {}));
  }
  const size_t whole_bytes = piece.size() - piece.size() % layout_.bytes;
  CheckIds(piece.substr(0, whole_bytes));
  begun_ = piece.substr(whole_bytes);
}

void TokenIdCheck::CheckIds(std::string_view ids) {
  for (size_t at = 0; problem_.ok() && at < ids.size(); at += layout_.bytes) {
    const uint64_t id = IntegerAt(ids.data() + at, layout_);
    if (id >> 31 != 0) problem_ = IdError(seen_.count, id, layout_);
    ++seen_.count;
    seen_.largest = std::max(seen_.largest, static_cast<int32_t>(id));
  }
}

std::string EncodeTokenIds(const std::vector<int32_t>& ids) {
  std::string npy = EncodeNpyHeader("<i4", {static_cast<int64_t>(ids.size())});
  npy.append(reinterpret_cast<const char*>(ids.data()),
             ids.size() * sizeof(int32_t));
  return npy;
}

}  // namespace moeprobe

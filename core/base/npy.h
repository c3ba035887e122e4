#ifndef MOEPROBE_CORE_BASE_NPY_H_
#define MOEPROBE_CORE_BASE_NPY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moeprobe {

// Element types of result arrays.
enum class DataType : std::uint8_t { kFloat64, kFloat32, kInt64 };

// Bytes of one element.
int64_t SizeOf(DataType type);

// Entries of an array of `shape`; 1 for an empty shape, a single number.
int64_t EntryCount(const std::vector<int64_t>& shape);

// An array in memory: row-major, little-endian, owned.
struct Array {
  DataType type = DataType::kFloat64;
  std::vector<int64_t> shape;  // empty: a single number
  std::string bytes;           // EntryCount(shape) * SizeOf(type)
};

// Returns the .npy form of `array` (format 1.0, what numpy.save writes): the
// same bytes for the same array, always.
std::string EncodeNpy(const Array& array);

// Reads a .npy of float64, float32 or int64 in C order.
//
// Returns InvalidArgument if it is anything else, is cut short or has bytes to
// spare.
absl::StatusOr<Array> DecodeNpy(std::string_view npy);

// How token ids are stored.
struct TokenIdLayout {
  bool is_signed = false;
  bool is_big_endian = false;
  size_t bytes = 0;  // of each
};

// Reads token ids: a one-dimensional .npy of any integer type of numpy, either
// byte order.
//
// Returns InvalidArgument if it is anything else, or holds a number outside
// [0, 2^31).
absl::StatusOr<std::vector<int32_t>> DecodeTokenIds(std::string_view npy);

// What is known of token ids without having them.
struct TokenIdSummary {
  int64_t count = 0;
  int32_t largest = -1;  // -1 if there are none
};

// Finds in token ids that come in pieces what DecodeTokenIds would find in all
// of them. Keeps no more of them than the header.
class TokenIdCheck {
 public:
  // `size_bytes`: of all pieces.
  explicit TokenIdCheck(int64_t size_bytes) : size_bytes_(size_bytes) {}

  void Append(std::string_view piece);

  // Returns what ids there were, after the last piece. Errors: those of
  // DecodeTokenIds.
  absl::StatusOr<TokenIdSummary> End();

 private:
  void ReadHeader();
  void AppendIds(std::string_view piece);
  void CheckIds(std::string_view ids);

  int64_t size_bytes_;
  bool is_in_header_ = true;
  std::string begun_;  // a header or an id that is not whole yet
  TokenIdLayout layout_;
  TokenIdSummary seen_;
  absl::Status problem_;
};

// Returns `ids` as a one-dimensional int32 .npy.
std::string EncodeTokenIds(const std::vector<int32_t>& ids);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_NPY_H_

#ifndef MOEPROBE_CLIENT_RESULT_ARRAY_VERIFIER_H_
#define MOEPROBE_CLIENT_RESULT_ARRAY_VERIFIER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/sha256.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {

// Takes arrays, one after the other, out of a stream of chunks and checks that
// they are the ones asked for, whole.
class ArrayVerifier {
 public:
  using NextChunk =
      std::function<absl::StatusOr<std::optional<v1::ArrayChunk>>()>;

  // Reads from `next_chunk`, which returns nothing at the end of the stream.
  explicit ArrayVerifier(NextChunk next_chunk);

  // Returns the next piece of `array`; an empty one once all of it was
  // returned, and the next array may follow. Returns DataLoss if the stream has
  // another array or ends, or, in place of the last piece, if the digest is not
  // the one announced.
  absl::StatusOr<std::string> NextPiece(const v1::ArrayInfo& array);

 private:
  absl::StatusOr<v1::ArrayChunk> Chunk(const v1::ArrayInfo& array);
  absl::Status Complete(const v1::ArrayInfo& array);

  NextChunk next_chunk_;
  std::unique_ptr<Sha256> digest_;  // of the array being read; null: none
  int64_t received_ = 0;
  bool complete_ = false;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_ARRAY_VERIFIER_H_

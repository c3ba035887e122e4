#include "client/result/array_verifier.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

absl::Status Damaged(const v1::ArrayInfo& array, const std::string& found) {
  return absl::DataLossError(
      absl::StrCat("array ", Quoted(array.name()), ": ", found));
}

}  // namespace

ArrayVerifier::ArrayVerifier(NextChunk next_chunk)
    : next_chunk_(std::move(next_chunk)) {}

absl::StatusOr<std::string> ArrayVerifier::NextPiece(
    const v1::ArrayInfo& array) {
  if (complete_) {
    complete_ = false;
    return "";
  }
  MOEPROBE_ASSIGN_OR_RETURN(v1::ArrayChunk chunk, Chunk(array));
  digest_->Update(chunk.data());
  received_ += static_cast<int64_t>(chunk.data().size());
  if (received_ >= array.size_bytes()) {
    MOEPROBE_RETURN_IF_ERROR(Complete(array));
  }
  return std::move(*chunk.mutable_data());
}

absl::Status ArrayVerifier::Complete(const v1::ArrayInfo& array) {
  const std::string found = digest_->Hex();
  digest_.reset();
  complete_ = true;
  if (found == array.sha256()) return absl::OkStatus();
  return Damaged(array, absl::StrCat("found SHA-256 ", found, ", expected ",
                                     Quoted(array.sha256())));
}

// Returns the next chunk of `array` that has data.
absl::StatusOr<v1::ArrayChunk> ArrayVerifier::Chunk(
    const v1::ArrayInfo& array) {
  while (true) {
    MOEPROBE_ASSIGN_OR_RETURN(std::optional<v1::ArrayChunk> chunk,
                              next_chunk_());
    if (!chunk) return Damaged(array, "the stream ended before its end");
    if (chunk->has_info() == (digest_ != nullptr)) {
      return Damaged(array, digest_ != nullptr
                                ? "the stream went on to another array"
                                : "the stream has no head for it");
    }
    if (digest_ == nullptr) {
      const std::string& name = chunk->info().name();
      if (name != array.name()) {
        return Damaged(array,
                       absl::StrCat("found ", Quoted(name), " in its place"));
      }
      digest_ = std::make_unique<Sha256>();
      received_ = 0;
    }
    if (!chunk->data().empty()) return *std::move(chunk);
  }
}

}  // namespace moeprobe

#include "server/token_id_blob.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_content.h"
#include "core/base/file_descriptor.h"
#include "core/base/file_identity.h"
#include "core/base/npy.h"
#include "core/base/status_macros.h"
#include "storage/blob_store.h"

namespace moeprobe {
namespace {

constexpr int64_t kMaxBytes = int64_t{4} << 30;

absl::Status Changed(const std::filesystem::path& path) {
  return absl::AbortedError(
      absl::StrCat(path.native(), ": changed while it was read"));
}

}  // namespace

absl::StatusOr<TokenIdBlob> StoreTokenIds(const std::filesystem::path& path,
                                          const BlobStore& blobs) {
  MOEPROBE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenRegularFile(path));
  MOEPROBE_ASSIGN_OR_RETURN(const FileIdentity identity,
                            IdentityOf(file, path));
  const int64_t size_bytes = identity.size_bytes;
  if (size_bytes > kMaxBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.native(), ": is ", size_bytes,
                     " bytes, expected at most ", kMaxBytes));
  }
  MOEPROBE_ASSIGN_OR_RETURN(BlobWriter blob, blobs.NewBlob());
  TokenIdCheck check(size_bytes);
  const auto store = [&](std::string_view piece) -> absl::Status {
    MOEPROBE_RETURN_IF_ERROR(blob.Append(piece));
    if (blob.size_bytes() > size_bytes) return Changed(path);
    check.Append(piece);
    return absl::OkStatus();
  };
  MOEPROBE_RETURN_IF_ERROR(VisitPieces(file, path, store));
  if (blob.size_bytes() != size_bytes) return Changed(path);
  MOEPROBE_ASSIGN_OR_RETURN(const TokenIdSummary ids, check.End());
  std::string sha256 = blob.Seal();
  MOEPROBE_RETURN_IF_ERROR(blob.Commit());
  return TokenIdBlob{.sha256 = std::move(sha256), .ids = ids};
}

}  // namespace moeprobe

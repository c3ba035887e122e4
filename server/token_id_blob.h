#ifndef MOEPROBE_SERVER_TOKEN_ID_BLOB_H_
#define MOEPROBE_SERVER_TOKEN_ID_BLOB_H_

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/npy.h"
#include "storage/blob_store.h"

namespace moeprobe {

// Token ids among the blobs.
struct TokenIdBlob {
  std::string sha256;
  TokenIdSummary ids;
};

// Stores the token ids in a file, a piece of which is in memory at a time. Not
// confirmed.
//
// Errors: those of OpenRegularFile, TokenIdCheck and BlobWriter;
// InvalidArgument if the file is larger than any text becomes; Aborted if it
// changed while it was read.
absl::StatusOr<TokenIdBlob> StoreTokenIds(const std::filesystem::path& path,
                                          const BlobStore& blobs);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TOKEN_ID_BLOB_H_

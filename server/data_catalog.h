#ifndef MOEPROBE_SERVER_DATA_CATALOG_H_
#define MOEPROBE_SERVER_DATA_CATALOG_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "core/base/npy.h"
#include "core/base/token_windows.h"
#include "moeprobe/v1/analysis.pb.h"
#include "server/byte_budget.h"
#include "storage/access.h"
#include "storage/blob_store.h"
#include "storage/dataset_store.h"
#include "storage/fingerprint_store.h"

namespace moeprobe {

// Where a worker finds data.
struct DataLocation {
  std::filesystem::path path;
  bool tokenize = false;         // `path` is text
  std::string text_sha256 = {};  // where it is
  std::string ids_sha256 = {};   // where it is not
};

// Cuts `ids` into windows and returns what is to be known of them. Errors:
// those of CutWindows.
absl::StatusOr<CutData> CutIds(std::vector<int32_t> ids,
                               const WindowOptions& windows);

// Data sets as requests name them, and what is known of their tokens. Made for
// the server itself; see SeenBy(). Thread-safe.
class DataCatalog {
 public:
  // All must outlive the catalog.
  DataCatalog(DatasetStore* datasets, FingerprintStore* fingerprints,
              const BlobStore* blobs)
      : datasets_(datasets), fingerprints_(fingerprints), blobs_(blobs) {}

  // Returns the catalog in which the viewer finds what they may see.
  DataCatalog SeenBy(const Viewer& viewer) const;

  // Returns the data set that `name` stands for: datasets/{sha256}, or a
  // display name. NotFound if there is none.
  absl::StatusOr<DatasetRow> Find(const std::string& name);

  // Returns what is known of the tokens of `data`, a resolved DataSpec, for the
  // tokenizer with this digest; nullopt for text that was never tokenised.
  // InvalidArgument if there is not one whole window.
  absl::StatusOr<std::optional<CutData>> Cut(
      const v1::DataSpec& data, const std::string& tokenizer_sha256);

  // Returns what is known of the ids of a blob. Those that nobody has asked for
  // yet are looked at, a piece of them in memory at a time. Errors: those of
  // BlobStore::ReadInPieces and TokenIdCheck.
  absl::StatusOr<TokenIdSummary> Summarize(const std::string& ids_sha256);

  // Returns the ids of a blob. Errors: those of BlobStore::Read and
  // DecodeTokenIds.
  absl::StatusOr<std::vector<int32_t>> ReadIds(const std::string& ids_sha256);

  // Returns what is known of the ids that `digest` stands for, cut in this way.
  // Where nothing is, `read` returns them, which takes `bytes` of memory: calls
  // that do share some and wait for each other. Errors: those of `read` and of
  // CutWindows.
  using Bytes = absl::FunctionRef<int64_t()>;
  using Read = absl::FunctionRef<absl::StatusOr<std::vector<int32_t>>()>;
  absl::StatusOr<CutData> CutOnce(const std::string& digest,
                                  const WindowOptions& windows, Bytes bytes,
                                  Read read);

  // Returns what ReadIds() takes of memory.
  int64_t BytesToRead(const std::string& ids_sha256) const;

  // Returns where the tokens of `data` are, or the text.
  absl::StatusOr<DataLocation> Locate(const v1::DataSpec& data,
                                      const std::string& tokenizer_sha256);

 private:
  // What ids may take while they are cut, of all calls together.
  static constexpr int64_t kMemory = int64_t{1} << 30;

  absl::StatusOr<std::optional<std::string>> IdsSha256(
      const v1::DataSpec& data, const std::string& tokenizer_sha256);

  DatasetStore* datasets_;
  FingerprintStore* fingerprints_;
  const BlobStore* blobs_;
  // Of all that SeenBy() returns together: ids are large.
  std::shared_ptr<ByteBudget> memory_ = std::make_shared<ByteBudget>(kMemory);
  Viewer viewer_ = ServerItself();
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_DATA_CATALOG_H_

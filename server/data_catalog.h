#ifndef MOEPROBE_SERVER_DATA_CATALOG_H_
#define MOEPROBE_SERVER_DATA_CATALOG_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
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
  bool tokenize = false;    // `path` is text
  std::string text_sha256;  // where it is
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

  // Returns where the tokens of `data` are, or the text.
  absl::StatusOr<DataLocation> Locate(const v1::DataSpec& data,
                                      const std::string& tokenizer_sha256);

 private:
  // What ids may take while they are cut, of all calls together.
  static constexpr int64_t kMemory = int64_t{1} << 30;

  absl::StatusOr<std::optional<std::string>> IdsSha256(
      const v1::DataSpec& data, const std::string& tokenizer_sha256);
  absl::StatusOr<CutData> CutStored(const std::string& ids_sha256,
                                    const WindowOptions& windows);

  DatasetStore* datasets_;
  FingerprintStore* fingerprints_;
  const BlobStore* blobs_;
  // Of all that SeenBy() returns together: ids are large.
  std::shared_ptr<ByteBudget> memory_ = std::make_shared<ByteBudget>(kMemory);
  Viewer viewer_ = ServerItself();
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_DATA_CATALOG_H_

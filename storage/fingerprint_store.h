#ifndef MOEPROBE_STORAGE_FINGERPRINT_STORE_H_
#define MOEPROBE_STORAGE_FINGERPRINT_STORE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/npy.h"
#include "core/base/token_windows.h"
#include "storage/database.h"

namespace moeprobe {

// What is known of token ids as cut.
struct CutData {
  std::string fingerprint;
  int64_t token_count = 0;         // of whole windows
  std::vector<int32_t> first_ids;  // at most 16
};

// Digests that were computed once, and what was found on the way, are
// remembered. Thread-safe.
class FingerprintStore {
 public:
  // `database` must outlive the store.
  explicit FingerprintStore(Database* database) : database_(database) {}

  // Returns the fingerprints by layer that the model files with this stamp are
  // known to have; layer -1 stands for the whole model.
  absl::StatusOr<std::map<int64_t, std::string>> Weights(
      const std::string& stamp);

  // Returns the digest of the ids that a tokenizer made of a text.
  absl::StatusOr<std::optional<std::string>> Tokenization(
      const std::string& text_sha256, const std::string& tokenizer_sha256);
  absl::Status RememberTokenization(const std::string& text_sha256,
                                    const std::string& tokenizer_sha256,
                                    const std::string& ids_sha256);

  // Returns what is known of ids.
  absl::StatusOr<std::optional<TokenIdSummary>> TokenIds(
      const std::string& ids_sha256);
  absl::Status RememberTokenIds(const std::string& ids_sha256,
                                const TokenIdSummary& summary);

  // Returns what is known of ids cut in this way. `ids_sha256`: their digest,
  // or one of what determines them.
  absl::StatusOr<std::optional<CutData>> Data(const std::string& ids_sha256,
                                              const WindowOptions& windows);
  absl::Status RememberData(const std::string& ids_sha256,
                            const WindowOptions& windows, const CutData& data);

 private:
  Database* database_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_FINGERPRINT_STORE_H_

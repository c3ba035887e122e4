#include "storage/settle_blobs.h"

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/crash_point.h"
#include "core/base/status_macros.h"
#include "storage/blob_references.h"
#include "storage/blob_store.h"
#include "storage/connection.h"
#include "storage/database.h"

namespace moeprobe {

absl::Status SettleBlobs(Database& database, const BlobStore& blobs) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<std::string> unconfirmed,
                            blobs.Unconfirmed());
  if (unconfirmed.empty()) return absl::OkStatus();
  MOEPROBE_ASSIGN_OR_RETURN(
      const std::set<std::string> references,
      database.Read(
          [](Connection& db) -> absl::StatusOr<std::set<std::string>> {
            return BlobReferences(db);
          }));
  for (const std::string& sha256 : unconfirmed) {
    CrashPoint("start-blob-not-settled");
    if (references.contains(sha256)) {
      blobs.Confirm(sha256);
    } else {
      MOEPROBE_RETURN_IF_ERROR(blobs.Discard(sha256));
    }
  }
  return absl::OkStatus();
}

}  // namespace moeprobe

#ifndef MOEPROBE_STORAGE_SETTLE_BLOBS_H_
#define MOEPROBE_STORAGE_SETTLE_BLOBS_H_

#include "absl/status/status.h"
#include "storage/blob_store.h"
#include "storage/database.h"

namespace moeprobe {

// Confirms the blobs that a row stands for, and removes those that were put in
// their places without one, because the process died, or its disk was full,
// between the one and the other. To be called when nobody puts any.
absl::Status SettleBlobs(Database& database, const BlobStore& blobs);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_SETTLE_BLOBS_H_

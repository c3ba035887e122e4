#ifndef MOEPROBE_STORAGE_LOST_DATABASE_H_
#define MOEPROBE_STORAGE_LOST_DATABASE_H_

#include "absl/status/status.h"
#include "storage/data_layout.h"

namespace moeprobe {

// DataLoss where a data directory has no database, or an empty one in its
// place, beside blobs, models or transactions that belong to one: a new
// database would own none of them, and they would be removed. Errors of
// CheckLogIsItsOwn where another's transactions would take the place of its
// own. To be called before a database is opened, which makes one.
absl::Status CheckNoDatabaseIsLost(const DataLayout& layout);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_LOST_DATABASE_H_

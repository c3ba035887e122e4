#ifndef MOEPROBE_STORAGE_DATABASE_COPY_H_
#define MOEPROBE_STORAGE_DATABASE_COPY_H_

#include <filesystem>

#include "absl/status/status.h"

namespace moeprobe {

// Copies the database in `from`, as it is at one moment, to the new file `to`:
// on the disk and examined when this returns. `from` has a connection that
// writes, in this process, which goes on meanwhile.
//
// DataLoss if the copy is damaged; errors of SQLite are those of
// StatusOf(SQLite::Exception).
absl::Status CopyDatabase(const std::filesystem::path& from,
                          const std::filesystem::path& to);

// Looks at every page and row. DataLoss, with what is wrong, if anything is.
absl::Status CheckDatabase(const std::filesystem::path& file);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_DATABASE_COPY_H_

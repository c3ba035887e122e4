#ifndef MOEPROBE_CLIENT_RESULT_NPZ_H_
#define MOEPROBE_CLIENT_RESULT_NPZ_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moeprobe {

// One array of an archive.
struct NpzEntry {
  std::string name;  // without ".npy"
  int64_t size_bytes = 0;
  // Returns the next piece of its .npy bytes; an empty one is the end.
  std::function<absl::StatusOr<std::string>()> next_piece;
};

// Writes an archive that numpy.load reads: entries in the order given, stored
// uncompressed, all of one fixed time, so that the same arrays make the same
// file. Entries are pulled one after the other; any may exceed 4 GiB.
//
// Errors: those of `next_piece`; DataLoss if an entry has another size than
// announced; Internal if the file cannot be written. `path` is then absent.
absl::Status WriteNpz(const std::filesystem::path& path,
                      std::vector<NpzEntry> entries);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_NPZ_H_

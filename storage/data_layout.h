#ifndef MOEPROBE_STORAGE_DATA_LAYOUT_H_
#define MOEPROBE_STORAGE_DATA_LAYOUT_H_

#include <filesystem>

namespace moeprobe {

// Names in a data directory, and in a backup of one.
inline constexpr const char* kDatabaseName = "moeprobe.db";
inline constexpr const char* kBlobsName = "blobs";

// Where SQLite keeps what it has not moved into a database yet. It drops this
// where the database is empty.
inline std::filesystem::path WriteAheadLogOf(
    const std::filesystem::path& database) {
  return database.native() + "-wal";
}

// Where things are in the data directory of a server.
struct DataLayout {
  explicit DataLayout(const std::filesystem::path& directory)
      : database(directory / kDatabaseName),
        blobs(directory / kBlobsName),
        audit_log(directory / "audit.log"),
        scratch(directory / "scratch"),
        hidden_states(directory / "hidden_states"),
        trained(directory / "trained"),
        admin_socket(directory / "admin.sock"),
        worker_socket(directory / "worker.sock") {}

  std::filesystem::path database;
  std::filesystem::path blobs;
  std::filesystem::path audit_log;
  std::filesystem::path scratch;        // of jobs that are not finished
  std::filesystem::path hidden_states;  // that later jobs may start from
  std::filesystem::path trained;        // checkpoints of training
  std::filesystem::path admin_socket;   // for the own account
  std::filesystem::path worker_socket;  // for workers
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_DATA_LAYOUT_H_

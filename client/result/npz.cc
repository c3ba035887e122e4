#include "client/result/npz.h"

#include <zip.h>
#include <zipconf.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

// The first day of the format's calendar, as numpy.savez writes it: 1980-01-01.
constexpr zip_uint16_t kDosTime = 0;
constexpr zip_uint16_t kDosDate = (1U << 5U) | 1U;
constexpr zip_uint32_t kRegularFile = 0100644U << 16U;

// Hands the bytes of one entry to libzip, which asks for them when the archive
// is closed.
class EntrySource {
 public:
  explicit EntrySource(NpzEntry entry) : entry_(std::move(entry)) {
    zip_error_init(&error_);
  }

  const std::string& name() const { return entry_.name; }
  const absl::Status& status() const { return status_; }

  // The callback that zip_source_function asks for; `self` is an EntrySource.
  static zip_int64_t Call(void* self, void* data, zip_uint64_t size,
                          zip_source_cmd_t command) {
    return static_cast<EntrySource*>(self)->Answer(data, size, command);
  }

 private:
  zip_int64_t Answer(void* data, zip_uint64_t size, zip_source_cmd_t command) {
    switch (command) {
      case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(
            ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
            ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
      case ZIP_SOURCE_READ:
        return Read(static_cast<char*>(data), size);
      case ZIP_SOURCE_STAT:
        return Describe(static_cast<zip_stat_t*>(data));
      case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&error_, data, size);
      default:  // opening, closing and freeing need nothing
        return 0;
    }
  }

  zip_int64_t Read(char* buffer, zip_uint64_t size) {
    status_ = Refill();
    if (!status_.ok()) {
      zip_error_set(&error_, ZIP_ER_READ, 0);
      return -1;
    }
    const size_t count = std::min<size_t>(size, piece_.size() - position_);
    std::memcpy(buffer, piece_.data() + position_, count);
    position_ += count;
    return static_cast<zip_int64_t>(count);
  }

  // Gets the next piece where the last is used up.
  absl::Status Refill() {
    if (ended_ || position_ < piece_.size()) return absl::OkStatus();
    MOEPROBE_ASSIGN_OR_RETURN(piece_, entry_.next_piece());
    position_ = 0;
    received_ += static_cast<int64_t>(piece_.size());
    ended_ = piece_.empty();
    const bool wrong =
        ended_ ? received_ != entry_.size_bytes : received_ > entry_.size_bytes;
    if (!wrong) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(
        "array ", entry_.name, ": found ", ended_ ? "" : "at least ", received_,
        " bytes, expected ", entry_.size_bytes));
  }

  zip_int64_t Describe(zip_stat_t* stat) const {
    zip_stat_init(stat);
    stat->valid = ZIP_STAT_SIZE;
    stat->size = static_cast<zip_uint64_t>(entry_.size_bytes);
    return sizeof(*stat);
  }

  NpzEntry entry_;
  std::string piece_;
  size_t position_ = 0;
  int64_t received_ = 0;
  bool ended_ = false;
  absl::Status status_;
  zip_error_t error_{};
};

using EntrySources = std::vector<std::unique_ptr<EntrySource>>;

absl::Status WriteError(const std::filesystem::path& path,
                        const std::string& reason) {
  return absl::InternalError(
      absl::StrCat("cannot write ", path.string(), ": ", reason));
}

absl::Status Add(zip_t* archive, EntrySource& entry,
                 const std::filesystem::path& path) {
  zip_source_t* source =
      zip_source_function(archive, &EntrySource::Call, &entry);
  if (source == nullptr) return WriteError(path, zip_strerror(archive));
  const zip_int64_t added =
      zip_file_add(archive, absl::StrCat(entry.name(), ".npy").c_str(), source,
                   ZIP_FL_ENC_UTF_8);
  if (added < 0) {
    zip_source_free(source);
    return WriteError(path,
                      absl::StrCat(entry.name(), ": ", zip_strerror(archive)));
  }
  const auto index = static_cast<zip_uint64_t>(added);
  zip_set_file_compression(archive, index, ZIP_CM_STORE, 0);
  zip_file_set_dostime(archive, index, kDosTime, kDosDate, 0);
  zip_file_set_external_attributes(archive, index, 0, ZIP_OPSYS_UNIX,
                                   kRegularFile);
  return absl::OkStatus();
}

absl::Status AddAll(zip_t* archive, const EntrySources& sources,
                    const std::filesystem::path& path) {
  for (const auto& source : sources) {
    MOEPROBE_RETURN_IF_ERROR(Add(archive, *source, path));
  }
  if (zip_close(archive) == 0) return absl::OkStatus();
  for (const auto& source : sources) {
    MOEPROBE_RETURN_IF_ERROR(source->status());
  }
  return WriteError(path, zip_strerror(archive));
}

absl::StatusOr<zip_t*> Open(const std::filesystem::path& path) {
  int code = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (archive != nullptr) return archive;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  return WriteError(path, reason);
}

}  // namespace

absl::Status WriteNpz(const std::filesystem::path& path,
                      std::vector<NpzEntry> entries) {
  MOEPROBE_ASSIGN_OR_RETURN(zip_t * archive, Open(path));
  EntrySources sources;
  for (NpzEntry& entry : entries) {
    sources.push_back(std::make_unique<EntrySource>(std::move(entry)));
  }
  const absl::Status status = AddAll(archive, sources, path);
  if (!status.ok()) zip_discard(archive);
  return status;
}

}  // namespace moeprobe

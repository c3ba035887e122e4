#include "core/base/bounded_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/crash_point.h"
#include "core/base/disk_error.h"
#include "core/base/file_descriptor.h"
#include "core/base/status_macros.h"
#include "core/base/whole_file.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLock = "lock";
constexpr const char* kPartial = "partial.";
// A file that was used so far in the future was used when the machine's time
// was wrong. It is taken for the oldest: else it would stay until then.
constexpr std::chrono::hours kFuture{24};

// What one file takes.
struct Entry {
  fs::path path;
  int64_t size_bytes = 0;
  fs::file_time_type used;
};

fs::file_time_type Believable(fs::file_time_type used) {
  const bool is_future = used > fs::file_time_type::clock::now() + kFuture;
  return is_future ? fs::file_time_type::min() : used;
}

std::string_view GroupOf(std::string_view name) {
  return name.substr(0, name.rfind('-'));
}

bool IsPartial(const fs::path& path) {
  return path.filename().native().starts_with(kPartial);
}

// Files that come and go meanwhile may be missing.
std::vector<Entry> EntriesOf(const fs::path& directory) {
  std::vector<Entry> entries;
  std::error_code error;
  for (fs::directory_iterator file(directory, error), end;
       !error && file != end; file.increment(error)) {
    std::error_code gone;
    Entry entry{.path = file->path(),
                .size_bytes = static_cast<int64_t>(file->file_size(gone)),
                .used = Believable(file->last_write_time(gone))};
    if (!gone && entry.path.filename() != kLock) {
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

// Held by whoever makes room, so that two do not count on the same bytes.
absl::StatusOr<FileDescriptor> LockDirectory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return DiskError(error.value(), directory);
  const fs::path path = directory / kLock;
  FileDescriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.number() < 0 || flock(file.number(), LOCK_EX) != 0) {
    return DiskError(errno, path);
  }
  return file;
}

// A writer holds the lock of the file it writes until that has its name.
bool HasWriter(const fs::path& partial) {
  const FileDescriptor file(open(partial.c_str(), O_RDONLY | O_CLOEXEC));
  return file.number() >= 0 && flock(file.number(), LOCK_EX | LOCK_NB) != 0;
}

// First those to evict first.
void SortForEviction(std::string_view group, std::vector<Entry>& entries) {
  const auto is_own = [group](const Entry& entry) {
    return GroupOf(entry.path.filename().native()) == group;
  };
  std::ranges::sort(entries, [&](const Entry& a, const Entry& b) {
    if (is_own(a) != is_own(b)) return is_own(b);
    return is_own(a) ? a.used > b.used : a.used < b.used;
  });
}

// Removes remains, then files until `needed_bytes` more are within the limit.
// The directory is locked. Returns whether they are.
bool MakeRoom(const fs::path& directory, std::string_view group,
              int64_t limit_bytes, int64_t needed_bytes) {
  std::vector<Entry> entries = EntriesOf(directory);
  SortForEviction(group, entries);
  int64_t total = needed_bytes;
  std::erase_if(entries, [&](const Entry& entry) {
    std::error_code ignored;
    const bool is_partial = IsPartial(entry.path);
    if (is_partial && !HasWriter(entry.path)) {
      fs::remove(entry.path, ignored);
    } else {
      total += entry.size_bytes;
    }
    return is_partial;
  });
  for (const Entry& entry : entries) {
    if (total <= limit_bytes) break;
    std::error_code error;
    if (fs::remove(entry.path, error)) total -= entry.size_bytes;
  }
  return total <= limit_bytes;
}

// Failing only means that the file may be evicted too early.
void SetUsedNow(const fs::path& path) {
  timespec now{};
  // Finer than what the kernel would take.
  clock_gettime(CLOCK_REALTIME, &now);  // NOLINT(misc-include-cleaner)
  const std::array<timespec, 2> times = {now, now};
  utimensat(AT_FDCWD, path.c_str(), times.data(), 0);
}

// A file that is being written; removed unless it gets its name.
class PartialFile {
 public:
  // Makes one with room for `size_bytes`. The directory is locked.
  static absl::StatusOr<PartialFile> Make(const fs::path& directory,
                                          int64_t size_bytes) {
    std::string path = absl::StrCat((directory / kPartial).native(), "XXXXXX");
    FileDescriptor file(mkostemp(path.data(), O_CLOEXEC));
    if (file.number() < 0) return DiskError(errno, path);
    PartialFile partial(std::move(file), path);
    if (flock(partial.file_.number(), LOCK_EX) != 0) {
      return DiskError(errno, path);
    }
    if (fallocate(partial.file_.number(), 0, 0, size_bytes) != 0 &&
        (errno != EOPNOTSUPP ||
         ftruncate(partial.file_.number(), size_bytes) != 0)) {
      return DiskError(errno, path);
    }
    return partial;
  }

  ~PartialFile() {
    if (!path_.empty()) unlink(path_.c_str());
  }
  PartialFile(PartialFile&& other) noexcept
      : file_(std::move(other.file_)), path_(std::move(other.path_)) {
    other.path_.clear();
  }
  PartialFile& operator=(PartialFile&&) = delete;
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  absl::Status Append(std::string_view bytes) const {
    return WriteAll(file_, bytes, path_);
  }

  absl::Status Rename(const fs::path& path) {
    SetUsedNow(path_);
    if (rename(path_.c_str(), path.c_str()) != 0) return DiskError(errno, path);
    path_.clear();
    return absl::OkStatus();
  }

 private:
  PartialFile(FileDescriptor file, fs::path path)
      : file_(std::move(file)), path_(std::move(path)) {}

  FileDescriptor file_;
  fs::path path_;
};

absl::StatusOr<PartialFile> Reserve(const fs::path& directory,
                                    std::string_view group, int64_t limit_bytes,
                                    int64_t size_bytes) {
  absl::Status too_much = absl::ResourceExhaustedError(
      absl::StrCat(directory.native(), ": ", size_bytes,
                   " more bytes are beyond its limit of ", limit_bytes));
  if (size_bytes > limit_bytes) return too_much;
  MOEPROBE_ASSIGN_OR_RETURN(const FileDescriptor lock,
                            LockDirectory(directory));
  if (!MakeRoom(directory, group, limit_bytes, size_bytes)) return too_much;
  return PartialFile::Make(directory, size_bytes);
}

}  // namespace

std::vector<std::string> BoundedDirectory::NamesWith(
    std::string_view prefix) const {
  std::vector<std::string> names;
  for (const Entry& entry : EntriesOf(directory_)) {
    std::string name = entry.path.filename().native();
    if (!IsPartial(entry.path) && name.starts_with(prefix)) {
      names.push_back(std::move(name));
    }
  }
  std::ranges::sort(names);
  return names;
}

absl::StatusOr<FileDescriptor> BoundedDirectory::Open(
    const std::string& name) const {
  return OpenRegularFile(directory_ / name);
}

void BoundedDirectory::NoteUse(const std::string& name) const {
  SetUsedNow(directory_ / name);
}

absl::Status BoundedDirectory::Put(
    const std::string& name,
    std::initializer_list<std::string_view> pieces) const {
  int64_t size_bytes = 0;
  for (const std::string_view piece : pieces) {
    size_bytes += static_cast<int64_t>(piece.size());
  }
  MOEPROBE_ASSIGN_OR_RETURN(
      PartialFile file,
      Reserve(directory_, GroupOf(name), limit_bytes_, size_bytes));
  for (const std::string_view piece : pieces) {
    CrashPoint("bounded-file-growing");
    MOEPROBE_RETURN_IF_ERROR(file.Append(piece));
  }
  CrashPoint("bounded-file-written-not-named");
  return file.Rename(directory_ / name);
}

void BoundedDirectory::Remove(const std::string& name) const {
  std::error_code ignored;
  fs::remove(directory_ / name, ignored);
}

absl::Status BoundedDirectory::Tidy() const {
  std::error_code error;
  if (!fs::exists(directory_, error)) return absl::OkStatus();
  MOEPROBE_ASSIGN_OR_RETURN(const FileDescriptor lock,
                            LockDirectory(directory_));
  MakeRoom(directory_, /*group=*/"", limit_bytes_, /*needed_bytes=*/0);
  return absl::OkStatus();
}

}  // namespace moeprobe

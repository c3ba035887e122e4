#ifndef MOEPROBE_CORE_BASE_BOUNDED_DIRECTORY_H_
#define MOEPROBE_CORE_BASE_BOUNDED_DIRECTORY_H_

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {

// A directory whose files together stay within a number of bytes. Any number
// of processes share it: what one of them stores another one reads, or evicts,
// at any time. It is made when it is first written to.
//
// A file is there whole or not at all. What stands before the last '-' of its
// name is its group. Where room is needed, the least recently used files of
// other groups go first, then the most recently used one of the same group: the
// files of a group are used in order, again and again, so that the one used
// last is the one needed last. What was used at a time that is still to come
// counts as the least recently used.
//
// Thread-safe.
class BoundedDirectory {
 public:
  // A limit of 0 keeps nothing.
  BoundedDirectory(std::filesystem::path directory, int64_t limit_bytes)
      : directory_(std::move(directory)), limit_bytes_(limit_bytes) {}

  // Names of the files that begin so, sorted.
  std::vector<std::string> NamesWith(std::string_view prefix) const;

  // Opens a file for reading. It stays readable if it is evicted meanwhile.
  // Errors: those of OpenRegularFile.
  absl::StatusOr<FileDescriptor> Open(const std::string& name) const;

  // Makes a file, if it is there, the one used last.
  void NoteUse(const std::string& name) const;

  // Stores `pieces`, one after the other, in place of what the name stood for;
  // that is its first use.
  // Nothing is promised for the case that the machine stops.
  //
  // ResourceExhausted if they are more than the limit allows beside what others
  // are writing, or than the disk has room for; whatever else the system says.
  absl::Status Put(const std::string& name,
                   std::initializer_list<std::string_view> pieces) const;

  // Removes a file, if it is there.
  void Remove(const std::string& name) const;

  // Removes what writers left that died, and files beyond the limit: the least
  // recently used ones.
  absl::Status Tidy() const;

 private:
  std::filesystem::path directory_;
  int64_t limit_bytes_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_BOUNDED_DIRECTORY_H_

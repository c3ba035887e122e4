#include "core/base/crash_point.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/file_descriptor.h"
#include "core/base/quoted.h"

namespace moeprobe {
namespace crash_point_internal {

class ArmedPlace {
 public:
  ArmedPlace(std::string name, int64_t visits, FileDescriptor note)
      : name_(std::move(name)), visits_left_(visits), note_(std::move(note)) {}

  void Visit(std::string_view name) {
    if (name == name_ && --visits_left_ == 0 && IsFirstToNote()) {
      kill(getpid(), SIGKILL);
    }
  }

 private:
  // Writes the note, unless there is one.
  bool IsFirstToNote() const {
    struct stat information{};
    return flock(note_.number(), LOCK_EX) == 0 &&
           fstat(note_.number(), &information) == 0 &&
           information.st_size == 0 &&
           write(note_.number(), name_.data(), name_.size()) > 0;
  }

  std::string name_;
  std::atomic<int64_t> visits_left_;
  FileDescriptor note_;
};

void Visit(const char* name) {
  armed_place.load(std::memory_order_acquire)->Visit(name);
}

}  // namespace crash_point_internal

namespace {

constexpr const char* kVariable = "MOEPROBE_CRASH_POINT";
constexpr mode_t kMode = 0600;

}  // namespace

absl::Status ArmCrashPoint() {
  const char* value = std::getenv(kVariable);  // NOLINT(concurrency-mt-unsafe)
  if (value == nullptr) return absl::OkStatus();
  const std::vector<std::string> words =
      absl::StrSplit(value, absl::MaxSplits(':', 2));
  int64_t visit = 0;
  if (words.size() != 3 || words[0].empty() ||
      !absl::SimpleAtoi(words[1], &visit) || visit < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        kVariable, ": got ", Quoted(value), ", expected NAME:VISIT:FILE"));
  }
  FileDescriptor note(
      open(words[2].c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, kMode));
  if (note.number() < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(kVariable, ": ", words[2]));
  }
  crash_point_internal::armed_place.store(
      new crash_point_internal::ArmedPlace(words[0], visit, std::move(note)),
      std::memory_order_release);
  return absl::OkStatus();
}

}  // namespace moeprobe

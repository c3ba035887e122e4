#include "server/isolation/process_limits.h"

#include <linux/prctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fstream>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/heap.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

// Half of the most: the kernel's choice where memory is short.
constexpr const char* kEndedFirst = "500";

absl::Status Limit(decltype(RLIMIT_CORE) resource, int64_t most,
                   const char* what) {
  rlimit limit{};
  if (getrlimit(resource, &limit) == 0) {
    limit.rlim_max = std::min(limit.rlim_max, static_cast<rlim_t>(most));
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(resource, &limit) == 0) return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, absl::StrCat("limit of ", what));
}

absl::Status LimitMemory(int64_t most) {
  const int64_t held = WritableBytes();
  if (held < most) return Limit(RLIMIT_DATA, most, "memory");
  return absl::FailedPreconditionError(absl::StrCat(
      "this process has ", held, " bytes of memory already, more than the ",
      most, " that it is limited to"));
}

}  // namespace

absl::Status LimitProcess(const ProcessLimits& limits) {
  std::signal(SIGXFSZ, SIG_IGN);
  // Not there where /proc is not: then the kernel chooses by itself.
  std::ofstream("/proc/self/oom_score_adj") << kEndedFirst;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return absl::ErrnoToStatus(errno, "no_new_privs");
  }
  MOEPROBE_RETURN_IF_ERROR(Limit(RLIMIT_CORE, 0, "core dumps"));
  MOEPROBE_RETURN_IF_ERROR(Limit(RLIMIT_NOFILE, kMaxOpenFiles, "open files"));
  MOEPROBE_RETURN_IF_ERROR(Limit(RLIMIT_NPROC, kMaxProcesses, "processes"));
  if (limits.file_bytes > 0) {
    MOEPROBE_RETURN_IF_ERROR(
        Limit(RLIMIT_FSIZE, limits.file_bytes, "the size of files"));
  }
  if (limits.memory_bytes == 0) return absl::OkStatus();
  return LimitMemory(limits.memory_bytes);
}

}  // namespace moeprobe

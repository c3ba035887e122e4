#include "server/isolation/process_limits.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>

#include "absl/status/status.h"
#include "core/base/file_descriptor.h"
#include "core/base/heap.h"
#include "gtest/gtest.h"
#include "tests/testing/child.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

constexpr int64_t kMebibyte = int64_t{1} << 20;
// A sanitizer takes terabytes of address space for itself.
constexpr int64_t kMostWithoutSanitizer = int64_t{1} << 40;

// What a process that has these limits finds.
bool HoldsUnder(const ProcessLimits& limits,
                const std::function<bool()>& finding) {
  return ExitStatusOfChild([&] {
           if (!LimitProcess(limits).ok()) return 2;
           return finding() ? 0 : 1;
         }) == 0;
}

rlimit LimitOf(decltype(RLIMIT_CORE) resource) {
  rlimit limit{};
  getrlimit(resource, &limit);
  return limit;
}

bool CanMap(size_t bytes, int protection, int file = -1) {
  const int flags = MAP_PRIVATE | (file < 0 ? MAP_ANONYMOUS : 0);
  return mmap(nullptr, bytes, protection, flags, file, 0) != MAP_FAILED;
}

TEST(ProcessLimitsTest, DumpsNoCore) {
  rlimit limit = LimitOf(RLIMIT_CORE);
  if (limit.rlim_max == 0) GTEST_SKIP() << "nobody here may dump cores";
  limit.rlim_cur = limit.rlim_max;
  EXPECT_TRUE(HoldsUnder({}, [&] {
    return LimitOf(RLIMIT_CORE).rlim_max == 0 &&
           (setrlimit(RLIMIT_CORE, &limit) != 0 || geteuid() == 0);
  }));
}

TEST(ProcessLimitsTest, OpensNoMoreFilesThanItMay) {
  EXPECT_TRUE(HoldsUnder({}, [] {
    int64_t count = 0;
    while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) ++count;
    return errno == EMFILE && count <= kMaxOpenFiles;
  }));
}

TEST(ProcessLimitsTest, StartsNoMoreProcessesThanItMay) {
  EXPECT_TRUE(HoldsUnder({}, [] {
    return LimitOf(RLIMIT_NPROC).rlim_cur <= rlim_t{kMaxProcesses};
  }));
}

TEST(ProcessLimitsTest, KeepsTighterLimits) {
  const rlimit tight{.rlim_cur = 100, .rlim_max = 100};
  EXPECT_EQ(ExitStatusOfChild([&] {
              setrlimit(RLIMIT_NOFILE, &tight);
              if (!LimitProcess({}).ok()) return 2;
              return LimitOf(RLIMIT_NOFILE).rlim_cur == 100 ? 0 : 1;
            }),
            0);
}

TEST(ProcessLimitsTest, WritesNoLargerFilesThanItMay) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "file";
  EXPECT_TRUE(HoldsUnder({.file_bytes = 1000}, [&] {
    const FileDescriptor file(open(path.c_str(), O_WRONLY | O_CREAT, 0600));
    return pwrite(file.number(), "x", 1, 999) == 1 &&
           pwrite(file.number(), "x", 1, 1000) < 0 && errno == EFBIG;
  }));
}

TEST(ProcessLimitsTest, TakesNoMoreMemoryThanItMayAndMapsWhatItLikes) {
  const int64_t held = WritableBytes();
  if (held > kMostWithoutSanitizer) GTEST_SKIP() << "a sanitizer has it all";
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "checkpoint";
  std::ofstream(path) << "x";
  std::filesystem::resize_file(path, uint64_t{1} << 38);
  EXPECT_TRUE(HoldsUnder({.memory_bytes = held + 256 * kMebibyte}, [&] {
    const FileDescriptor file(open(path.c_str(), O_RDONLY));
    return CanMap(128 * kMebibyte, PROT_READ | PROT_WRITE) &&
           !CanMap(512 * kMebibyte, PROT_READ | PROT_WRITE) &&
           errno == ENOMEM && CanMap(size_t{1} << 38, PROT_READ, file.number());
  }));
}

TEST(ProcessLimitsTest, RefusesLessMemoryThanThereIsInUse) {
  EXPECT_EQ(ExitStatusOfChild([] {
              const absl::Status status = LimitProcess({.memory_bytes = 4096});
              return absl::IsFailedPrecondition(status) ? 0 : 1;
            }),
            0);
}

TEST(ProcessLimitsTest, GetsNoRightsFromPrograms) {
  EXPECT_TRUE(HoldsUnder(
      {}, [] { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1; }));
}

TEST(ProcessLimitsTest, IsTheFirstToEndWhereMemoryIsShort) {
  if (access("/proc/self/oom_score_adj", W_OK) != 0) {
    GTEST_SKIP() << "this kernel takes no advice on whom to end";
  }
  EXPECT_TRUE(HoldsUnder({}, [] {
    int score = 0;
    std::ifstream("/proc/self/oom_score_adj") >> score;
    return score >= 500;
  }));
}

TEST(ProcessLimitsTest, LimitsWhatItStarts) {
  EXPECT_EQ(ExitStatusOfChild([] {
              if (!LimitProcess({.file_bytes = 5 * kMebibyte}).ok()) return 2;
              execl("/bin/sh", "sh", "-c",
                    "test $(ulimit -c) = 0 && test $(ulimit -n) -le 4096 && "
                    "test $(ulimit -f) = 10240 && "
                    "grep -q 'NoNewPrivs:.*1' /proc/self/status",
                    nullptr);
              return 3;
            }),
            0);
}

}  // namespace
}  // namespace moeprobe

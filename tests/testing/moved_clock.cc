// A library to preload: the machine's time as a program sees it, moved by as
// many seconds as the file MOEPROBE_MOVED_CLOCK says, a 64-bit integer that may
// change at any time. So the program lives through what `date -s` does, the
// monotonic clock and the machine's own time untouched. Waits that end at a
// time of day end when the moved time gets there, also those that have begun.
//
// libfaketime does not move the waits of Abseil and gRPC, which call the kernel
// themselves, and reads its file at each look, which a confined worker may not.

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;
// A wait looks that often whether the time was moved.
constexpr int64_t kPatienceNanoseconds = 20'000'000;

// Null: nothing is moved.
const volatile int64_t* MapOffset() {
  const char* path = std::getenv("MOEPROBE_MOVED_CLOCK");
  if (path == nullptr) return nullptr;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* mapped = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  return mapped == MAP_FAILED ? nullptr : static_cast<const int64_t*>(mapped);
}

int64_t OffsetSeconds() {
  static const volatile int64_t* const offset = MapOffset();
  return offset == nullptr ? 0 : *offset;
}

// Maps the file as the library is loaded, before a worker confines itself.
[[gnu::constructor]] void MapEarly() { OffsetSeconds(); }

// The function of the C library that ours stands before.
template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

int NextClockGetTime(clockid_t clock, timespec* time) {
  static auto* const next = Next<decltype(clock_gettime)>("clock_gettime");
  return next(clock, time);
}

bool IsTimeOfDay(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

int64_t Nanoseconds(const timespec& time) {
  return time.tv_sec * kNanosecondsPerSecond + time.tv_nsec;
}

// Part of a wait, by the machine's own time.
struct Wait {
  timespec until;
  bool is_last;
};

// What system calls take.
using Register = long;  // NOLINT(google-runtime-int)

// How long to wait next for a moved time.
Wait NextWait(const timespec& moved) {
  timespec now{};
  NextClockGetTime(CLOCK_REALTIME, &now);
  timespec end = moved;
  end.tv_sec -= OffsetSeconds();
  const int64_t soon = Nanoseconds(now) + kPatienceNanoseconds;
  // In seconds first: times of far away do not fit into nanoseconds.
  if (end.tv_sec <= soon / kNanosecondsPerSecond && Nanoseconds(end) <= soon) {
    if (end.tv_sec < 0) end = {};
    return {.until = end, .is_last = true};
  }
  return {.until = {.tv_sec = soon / kNanosecondsPerSecond,
                    .tv_nsec = soon % kNanosecondsPerSecond},
          .is_last = false};
}

bool WaitsForTimeOfDay(Register number, Register operation, Register time) {
  return number == SYS_futex && time != 0 &&
         (operation & FUTEX_CLOCK_REALTIME) != 0;
}

}  // namespace

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): theirs are
// reserved
extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int result = NextClockGetTime(clock, time);
  if (result == 0 && IsTimeOfDay(clock)) time->tv_sec += OffsetSeconds();
  return result;
}

int gettimeofday(timeval* time, void* zone) noexcept {
  static auto* const next = Next<decltype(gettimeofday)>("gettimeofday");
  const int result = next(time, zone);
  if (result == 0) time->tv_sec += OffsetSeconds();
  return result;
}

time_t time(time_t* result) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != nullptr) *result = now.tv_sec;
  return now.tv_sec;
}

// A wait that is not the last ends as if nothing was the matter: who waits
// looks, and waits again.
int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* end) {
  static auto* const next =
      Next<decltype(pthread_cond_timedwait)>("pthread_cond_timedwait");
  const Wait wait = NextWait(*end);
  const int result = next(condition, mutex, &wait.until);
  return result == ETIMEDOUT && !wait.is_last ? 0 : result;
}

Register syscall(Register number, ...) noexcept {
  static auto* const next = Next<Register(Register, ...)>("syscall");
  std::array<Register, 6> a{};
  va_list list;
  va_start(list, number);
  for (Register& argument : a) argument = va_arg(list, Register);
  va_end(list);
  if (!WaitsForTimeOfDay(number, a[1], a[3])) {
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
  const Wait wait = NextWait(*std::bit_cast<const timespec*>(a[3]));
  const Register result =
      next(number, a[0], a[1], a[2], &wait.until, a[4], a[5]);
  if (result != 0 && errno == ETIMEDOUT && !wait.is_last) errno = EINTR;
  return result;
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)

#include "server/memory_schedule.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "core/base/mutex.h"
#include "storage/job.h"
#include "storage/job_queue.h"

namespace moeprobe {
namespace {

using Clock = MemorySchedule::Clock;

double Gigabytes(int64_t bytes) { return static_cast<double>(bytes) / 1e9; }

// Returns when `bytes` are expected to be free, of which `free` are now. A task
// that takes longer than expected ends nobody knows when.
std::optional<Clock::time_point> ExpectedRoom(int64_t bytes, int64_t free,
                                              std::vector<HeldMemory> held,
                                              Clock::time_point now) {
  std::erase_if(held, [&](const HeldMemory& task) {
    return !task.end || *task.end <= now;
  });
  std::ranges::sort(held, {}, &HeldMemory::end);
  for (const HeldMemory& task : held) {
    free += task.bytes;
    if (free >= bytes) return task.end;
  }
  return std::nullopt;
}

// What has started since `time`.
int64_t BytesSince(Clock::time_point time,
                   const std::vector<HeldMemory>& held) {
  int64_t bytes = 0;
  for (const HeldMemory& task : held) {
    if (task.start >= time) bytes += task.bytes;
  }
  return bytes;
}

}  // namespace

absl::Status MemorySchedule::Check(int64_t bytes) const {
  if (budget_bytes_ == 0 || bytes <= job_bytes()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrFormat(
      "the job is expected to take %d bytes of memory (%.1f GB), more than the "
      "%d (%.1f GB) that all jobs may take together (--memory-budget%s); ask "
      "for "
      "fewer tokens, probes or draws of nulls, or have the server started with "
      "a larger budget",
      bytes, Gigabytes(bytes), job_bytes(), Gigabytes(job_bytes()),
      pinned_bytes_ == 0 ? "" : ", less what pinned models have"));
}

absl::Status MemorySchedule::AddPinned(
    int64_t bytes, const std::vector<HeldMemory>& held,
    const std::optional<LargestJob>& largest) {
  const int64_t left = job_bytes() - bytes;
  const bool is_limited = budget_bytes_ > 0 && bytes > 0;
  if (is_limited && left < BytesOf(held)) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "%d bytes to pin leave %d of the memory budget to jobs, and those that "
        "run hold %d; unpin others, or wait for jobs to end",
        bytes, std::max<int64_t>(left, 0), BytesOf(held)));
  }
  if (is_limited && largest && left < largest->bytes) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "%d bytes to pin leave %d of the memory budget to jobs, and jobs/%d, "
        "which waits, takes %d; unpin others, or wait for it to end",
        bytes, left, largest->job, largest->bytes));
  }
  pinned_bytes_ += bytes;
  return absl::OkStatus();
}

bool MemorySchedule::MayStart(int64_t job, int64_t bytes,
                              const std::vector<HeldMemory>& held,
                              Clock::time_point now) {
  const int64_t free = job_bytes() - BytesOf(held);
  const MutexLock lock(mutex_);
  if (budget_bytes_ == 0 || bytes <= free) {
    kept_.reset();
    return true;
  }
  if (!kept_ || kept_->job != job) {
    kept_ = {.job = job,
             .bytes = bytes,
             .since = now,
             .start = ExpectedRoom(bytes, free, held, now)};
  }
  kept_->bytes = bytes;
  return false;
}

std::optional<Room> MemorySchedule::RoomBehind(
    const std::vector<HeldMemory>& held, Clock::time_point now) const {
  const std::optional<Kept> kept = this->kept();
  if (!kept) return std::nullopt;
  const int64_t free = std::max<int64_t>(0, job_bytes() - BytesOf(held));
  const int64_t beside =
      job_bytes() - kept->bytes - BytesSince(kept->since, held);
  Room room{.bytes = std::clamp<int64_t>(beside, 0, free)};
  if (kept->start && *kept->start > now) {
    room.brief_bytes = free;
    room.brief_seconds =
        std::chrono::duration<double>(*kept->start - now).count();
  }
  return room;
}

std::optional<MemorySchedule::Kept> MemorySchedule::kept() const {
  const MutexLock lock(mutex_);
  return kept_;
}

bool Fits(const JobNeeds& needs, const Room& room) {
  if (!needs.memory_bytes) return false;
  if (*needs.memory_bytes <= room.bytes) return true;
  return *needs.memory_bytes <= room.brief_bytes && needs.seconds &&
         *needs.seconds <= room.brief_seconds;
}

int64_t BytesOf(const std::vector<HeldMemory>& held) {
  int64_t bytes = 0;
  for (const HeldMemory& task : held) bytes += task.bytes;
  return bytes;
}

}  // namespace moeprobe

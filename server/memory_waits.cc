#include "server/memory_waits.h"

#include <cstdint>
#include <vector>

#include "moeprobe/v1/job.pb.h"
#include "server/memory_schedule.h"
#include "server/resource_name.h"
#include "storage/access.h"
#include "storage/job.h"

namespace moeprobe {

bool MemoryWaits::MaySee(const Viewer& viewer, int64_t job) const {
  return jobs_->Get(viewer, job).ok();
}

bool MemoryWaits::IsQueued(int64_t job) const {
  const auto row = jobs_->Get(ServerItself(), job);
  return row.ok() && row->state == JobState::kQueued;
}

void MemoryWaits::Fill(const Viewer& viewer, const JobRow& row,
                       v1::Job& job) const {
  const auto kept = memory_->kept();
  if (row.state != JobState::kQueued || !row.needs.memory_bytes || !kept ||
      !IsQueued(kept->job)) {
    return;
  }
  const std::vector<HeldMemory> held = running_->Memory();
  const auto room = memory_->RoomBehind(held, MemorySchedule::Clock::now());
  const bool goes_next = kept->job == row.id;
  if (!goes_next && (!room || Fits(row.needs, *room))) return;
  v1::MemoryWait& wait = *job.mutable_memory_wait();
  wait.set_needed_bytes(*row.needs.memory_bytes);
  wait.set_budget_bytes(memory_->job_bytes());
  wait.set_held_bytes(BytesOf(held));
  for (const HeldMemory& task : held) {
    if (MaySee(viewer, task.job)) wait.add_holders(JobName(task.job));
  }
  if (goes_next) return;
  wait.set_kept_bytes(kept->bytes);
  if (MaySee(viewer, kept->job)) wait.set_kept_for(JobName(kept->job));
}

}  // namespace moeprobe

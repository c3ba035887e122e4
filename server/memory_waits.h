#ifndef MOEPROBE_SERVER_MEMORY_WAITS_H_
#define MOEPROBE_SERVER_MEMORY_WAITS_H_

#include <cstdint>
#include <string>

#include "moeprobe/v1/job.pb.h"
#include "server/memory_schedule.h"
#include "server/running_tasks.h"
#include "storage/access.h"
#include "storage/job.h"
#include "storage/job_store.h"

namespace moeprobe {

// Tells which queued jobs wait for memory, and who holds it. Thread-safe.
class MemoryWaits {
 public:
  // All must outlive the object.
  MemoryWaits(const MemorySchedule* memory, const RunningTasks* running,
              JobStore* jobs)
      : memory_(memory), running_(running), jobs_(jobs) {}

  // Says what a queued job waits for, if it is memory: of other jobs only what
  // the viewer may see.
  void Fill(const Viewer& viewer, const JobRow& row, v1::Job& job) const;

 private:
  bool MaySee(const Viewer& viewer, int64_t job) const;
  bool IsQueued(int64_t job) const;

  const MemorySchedule* memory_;
  const RunningTasks* running_;
  JobStore* jobs_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_MEMORY_WAITS_H_

#ifndef MOEPROBE_SERVER_SERVER_GAUGES_H_
#define MOEPROBE_SERVER_SERVER_GAUGES_H_

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "server/memory_schedule.h"
#include "server/running_tasks.h"
#include "server/scheduler.h"
#include "server/worker_pulse.h"
#include "storage/job_queue.h"
#include "storage/retention_store.h"

namespace moeprobe {

// What the server holds at the moment it is asked. Thread-safe.
//
//   moeprobe_jobs{state}                 jobs by state
//   moeprobe_oldest_queued_seconds       0 where nothing is queued
//   moeprobe_workers{state}              answering, idle
//   moeprobe_memory_bytes{what}          held by jobs, pinned, budget (if any)
//   moeprobe_stored_bytes                arrays and models
//   moeprobe_unclaimed_bytes             those of no job
//   moeprobe_database_bytes              with its write-ahead log
//   moeprobe_disk_free_bytes             where the data directory is
class ServerGauges final : public prometheus::Collectable {
 public:
  // All must outlive the object.
  struct Parts {
    JobQueue* queue;
    RetentionStore* retention;
    const Scheduler* scheduler;
    const WorkerPulse* pulse;
    const RunningTasks* running;
    const MemorySchedule* memory;
    std::filesystem::path data_directory;
  };
  explicit ServerGauges(Parts parts) : parts_(std::move(parts)) {}

  // What cannot be found out is left out.
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  prometheus::MetricFamily Memory() const;

  Parts parts_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SERVER_GAUGES_H_

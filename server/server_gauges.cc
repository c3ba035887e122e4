#include "server/server_gauges.h"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/memory_schedule.h"
#include "storage/data_layout.h"
#include "storage/job.h"
#include "storage/job_queue.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;
using prometheus::MetricFamily;

MetricFamily Gauge(const std::string& name, const std::string& help) {
  return {.name = name,
          .help = help,
          .type = prometheus::MetricType::Gauge,
          .metric = {}};
}

void Add(MetricFamily& family, double value) {
  prometheus::ClientMetric metric;
  metric.gauge.value = value;
  family.metric.push_back(metric);
}

void Add(MetricFamily& family, const std::string& state, double value,
         const std::string& label = "state") {
  Add(family, value);
  family.metric.back().label = {{.name = label, .value = state}};
}

void AddBytes(const std::string& name, const std::string& help, int64_t bytes,
              std::vector<MetricFamily>& all) {
  all.push_back(Gauge(name, help));
  Add(all.back(), static_cast<double>(bytes));
}

void AddQueue(const QueueDepth& depth, std::vector<MetricFamily>& all) {
  MetricFamily jobs = Gauge("moeprobe_jobs", "Jobs by state");
  for (const auto& [state, count] : depth.jobs) {
    Add(jobs, absl::AsciiStrToLower(NameOf(state)), static_cast<double>(count));
  }
  MetricFamily age = Gauge("moeprobe_oldest_queued_seconds",
                           "How long the job queued first has waited");
  Add(age,
      depth.oldest_queued
          ? std::max(absl::ToDoubleSeconds(absl::Now() - *depth.oldest_queued),
                     0.0)
          : 0);
  all.push_back(jobs);
  all.push_back(age);
}

void AddDisk(const fs::path& data, std::vector<MetricFamily>& all) {
  MetricFamily database =
      Gauge("moeprobe_database_bytes", "The database and its log");
  double bytes = 0;
  const fs::path file = DataLayout(data).database;
  for (const fs::path& path : {file, WriteAheadLogOf(file)}) {
    std::error_code missing;
    const uintmax_t size = fs::file_size(path, missing);
    if (!missing) bytes += static_cast<double>(size);
  }
  Add(database, bytes);
  all.push_back(database);
  std::error_code unknown;
  const fs::space_info space = fs::space(data, unknown);
  if (unknown) return;
  MetricFamily free = Gauge("moeprobe_disk_free_bytes",
                            "Free bytes where the data directory is");
  Add(free, static_cast<double>(space.available));
  all.push_back(free);
}

}  // namespace

MetricFamily ServerGauges::Memory() const {
  MetricFamily memory =
      Gauge("moeprobe_memory_bytes",
            "Memory of jobs, by estimates, and of pinned models");
  const int64_t held = BytesOf(parts_.running->Memory());
  Add(memory, "held", static_cast<double>(held), "what");
  Add(memory, "pinned", static_cast<double>(parts_.memory->pinned_bytes()),
      "what");
  const int64_t budget = parts_.memory->budget_bytes();
  if (budget > 0) Add(memory, "budget", static_cast<double>(budget), "what");
  return memory;
}

std::vector<MetricFamily> ServerGauges::Collect() const {
  std::vector<MetricFamily> all;
  const auto depth = parts_.queue->Depth();
  if (depth.ok()) AddQueue(*depth, all);
  MetricFamily workers = Gauge("moeprobe_workers", "Workers");
  Add(workers, "answering", parts_.pulse->AnsweringCount());
  Add(workers, "idle", parts_.scheduler->idle_worker_count());
  all.push_back(workers);
  all.push_back(Memory());
  if (const auto bytes = parts_.retention->Bytes(); bytes.ok()) {
    AddBytes("moeprobe_stored_bytes", "Arrays and models that are stored",
             *bytes, all);
  }
  if (const auto bytes = parts_.retention->UnclaimedBytes(); bytes.ok()) {
    AddBytes("moeprobe_unclaimed_bytes", "Those of them that no job has",
             *bytes, all);
  }
  AddDisk(parts_.data_directory, all);
  return all;
}

}  // namespace moeprobe

#include "server/server_parts.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/crash_point.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/access.pb.h"
#include "server/access/caller.h"
#include "server/access/user_directory.h"
#include "server/admin_service.h"
#include "server/call_gate.h"
#include "server/client_services.h"
#include "server/listener.h"
#include "server/log.h"
#include "server/metrics_page.h"
#include "server/repeated_call.h"
#include "server/running_tasks.h"
#include "server/service_set.h"
#include "server/worker_leases.h"
#include "storage/access.h"
#include "storage/job.h"

namespace moeprobe {
namespace {

// How long a worker may take to stop when its job is cancelled.
constexpr std::chrono::milliseconds kCancelGrace{2'000};
constexpr std::chrono::milliseconds kRetentionInterval{1'000};

}  // namespace

std::vector<Listener*> ServerParts::ClientListeners() const {
  std::vector<Listener*> all;
  if (admin_listener != nullptr) all.push_back(admin_listener.get());
  for (const auto& listener : client_listeners) all.push_back(listener.get());
  return all;
}

MakeServices ServerParts::ClientServicesMaker() {
  return [this](const Origin& origin) {
    return std::make_unique<ClientServices>(
        ClientParts{.gate = gate,
                    .job_operations = &job_operations,
                    .jobs = &jobs,
                    .changes = &changes,
                    .result_operations = &result_operations,
                    .dataset_operations = &dataset_operations,
                    .server_operations = &server_operations,
                    .user_operations = &*user_operations},
        origin);
  };
}

MakeServices ServerParts::OwnServicesMaker() {
  return [this, make = ClientServicesMaker()](const Origin& origin) {
    return std::make_unique<OwnServices>(make(origin), CallGate(gate, origin),
                                         options.data_directory, &blobs);
  };
}

absl::Status ServerParts::OpenUsers() {
  MOEPROBE_ASSIGN_OR_RETURN(
      users, UserDirectory::Open(&user_store, [this] { changes.NotifyAll(); }));
  gate = {.authenticator = &authenticator.emplace(users.get(), own_account),
          .users = users.get(),
          .audit = audit.get()};
  user_operations.emplace(users.get(), &shares);
  MOEPROBE_RETURN_IF_ERROR(jobs.Adopt(own_account.user));
  return datasets.Adopt(own_account.user);
}

absl::Status ServerParts::ShowMetrics() {
  if (options.metrics_address.empty()) return absl::OkStatus();
  MOEPROBE_ASSIGN_OR_RETURN(metrics_page,
                            MetricsPage::Start(options.metrics_address));
  metrics_page->Add(registry);
  metrics_page->Add(gauges);
  LogInfo(
      absl::StrCat("metrics on http://", metrics_page->address(), "/metrics"));
  return absl::OkStatus();
}

std::unique_ptr<RepeatedCall> ServerParts::Retain() {
  return std::make_unique<RepeatedCall>(kRetentionInterval, [this] {
    const absl::Status status = retention.Work();
    if (status.message() != retention_problem && !status.ok()) {
      LogWarning(status.ToString());
    }
    retention_problem = std::string(status.message());
  });
}

std::unique_ptr<WorkerLeases> ServerParts::Lease() {
  return std::make_unique<WorkerLeases>(WorkerLeases::Parts{
      .running = &running,
      .pulse = &pulse,
      .lease = options.lease,
      .stall = options.stall,
      .on_expiry = [this](const RunningTask& task,
                          const std::string& what) { GiveUp(task, what); },
      .on_idle_silence =
          [this](int64_t worker, const std::string& what) {
            EndIdle(worker, what);
          },
      .max_job_time = options.max_job_time,
      .on_overdue = [this](const RunningTask& task) { EndOverdue(task); }});
}

v1::Visibility ServerParts::DefaultVisibility() const {
  return options.private_by_default ? v1::VISIBILITY_PRIVATE
                                    : v1::VISIBILITY_LAB;
}

JobListener ServerParts::Tell() {
  return [this](int64_t job) {
    changes.Notify(job);
    scheduler.Wake();
  };
}

void ServerParts::EnforceCancel(const JobRow& row) {
  if (executor == nullptr || !row.worker) return;
  executor->KillLater(*row.worker, kCancelGrace, [this, row] {
    const auto now = jobs.Get(ServerItself(), row.id);
    return now.ok() && now->state == JobState::kCancelling &&
           now->attempt == row.attempt;
  });
}

void ServerParts::GiveUp(const RunningTask& task, const std::string& what) {
  const std::string reason = absl::StrCat("worker ", task.worker, " ", what);
  CrashPoint("lease-expired-not-stored");
  const auto lost = scheduler.LoseWorkerOf(task, reason);
  if (lost.ok() && !*lost) return;
  LogWarning(reason);
  if (!lost.ok()) LogWarning(lost.status().ToString());
  CrashPoint("lease-expired-worker-lives");
  Kill(task.worker);
}

// One that nobody here has started comes back, or not: it holds nothing.
void ServerParts::EndIdle(int64_t worker, const std::string& what) {
  LogWarning(absl::StrCat("worker ", worker, " ", what, ", without a task"));
  pulse.End(worker);
  Kill(worker);
}

void ServerParts::Kill(int64_t worker) {
  if (executor == nullptr) return;
  executor->KillLater(worker, std::chrono::milliseconds(0),
                      [] { return true; });
}

void ServerParts::EndOverdue(const RunningTask& task) {
  const absl::Status failed = task_operations.Fail(
      task, {.code = static_cast<int>(absl::StatusCode::kDeadlineExceeded),
             .message =
                 absl::StrCat("took longer than ", options.max_job_time.count(),
                              " s, the most that this server allows")});
  if (!failed.ok()) {
    LogWarning(failed.ToString(), {JobField(task.attempt.job)});
    return;
  }
  GiveUp(task, "held a job for too long");
}

}  // namespace moeprobe

#include "server/server.h"

#include <prometheus/registry.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "server/admin_service.h"
#include "server/client_services.h"
#include "server/data_catalog.h"
#include "server/dataset_operations.h"
#include "server/estimator.h"
#include "server/job_changes.h"
#include "server/job_operations.h"
#include "server/job_plan.h"
#include "server/job_record.h"
#include "server/job_rests.h"
#include "server/listener.h"
#include "server/local_executor.h"
#include "server/log.h"
#include "server/metrics/call_metrics.h"
#include "server/metrics/job_metrics.h"
#include "server/metrics/metrics_page.h"
#include "server/metrics/server_gauges.h"
#include "server/model_registry.h"
#include "server/model_root.h"
#include "server/result_operations.h"
#include "server/running_tasks.h"
#include "server/scheduler.h"
#include "server/scratch.h"
#include "server/server_operations.h"
#include "server/task_operations.h"
#include "server/worker_health.h"
#include "server/worker_leases.h"
#include "server/worker_pulse.h"
#include "server/worker_service.h"
#include "storage/attempt_store.h"
#include "storage/blob_store.h"
#include "storage/database.h"
#include "storage/dataset_store.h"
#include "storage/directory_lock.h"
#include "storage/estimate_store.h"
#include "storage/fingerprint_store.h"
#include "storage/job.h"
#include "storage/job_queue.h"
#include "storage/job_store.h"
#include "storage/result_store.h"

namespace moeprobe {
namespace {

// How long a worker may take to stop when its job is cancelled.
constexpr std::chrono::milliseconds kCancelGrace{2'000};
// How long calls may go on when the server stops.
constexpr std::chrono::milliseconds kDrainGrace{2'000};
// Calls of clients at work at the same time; watches take no thread. Most of
// them wait for the disk, together.
constexpr int kClientThreads = 256;
// Calls of one worker: a claim, or a report beside a layer.
constexpr int kThreadsPerWorker = 4;
constexpr int kSpareThreads = 16;

absl::StatusOr<std::vector<ModelRoot>> OpenRoots(
    const std::vector<std::filesystem::path>& directories) {
  std::vector<ModelRoot> roots;
  for (const std::filesystem::path& directory : directories) {
    MOEPROBE_ASSIGN_OR_RETURN(ModelRoot root, ModelRoot::Open(directory));
    roots.push_back(std::move(root));
  }
  return roots;
}

}  // namespace

// Everything, in the order in which it is built; destroyed the other way.
struct Server::Parts {
  Parts(ServerOptions server_options, DirectoryLock held,
        std::unique_ptr<Database> opened, BlobStore blob_store,
        std::vector<ModelRoot> roots, ModelRoot home)
      : options(std::move(server_options)),
        lock(std::move(held)),
        database(std::move(opened)),
        blobs(std::move(blob_store)),
        models(std::move(roots), std::move(home)) {}

  JobListener Tell() {
    return [this](int64_t job) {
      changes.Notify(job);
      scheduler.Wake();
    };
  }

  absl::Status ShowMetrics() {
    if (options.metrics_address.empty()) return absl::OkStatus();
    MOEPROBE_ASSIGN_OR_RETURN(metrics_page,
                              MetricsPage::Start(options.metrics_address));
    metrics_page->Add(registry);
    metrics_page->Add(gauges);
    LogInfo(absl::StrCat("metrics on http://", metrics_page->address(),
                         "/metrics"));
    return absl::OkStatus();
  }

  // Kills the worker of a cancelled job that does not stop by itself.
  void EnforceCancel(const JobRow& row) {
    if (executor == nullptr || !row.worker) return;
    executor->KillLater(*row.worker, kCancelGrace, [this, row] {
      const auto now = jobs.Get(row.id);
      return now.ok() && now->state == JobState::kCancelling &&
             now->attempt == row.attempt;
    });
  }

  // Takes its task from a worker that says nothing, and ends it.
  void GiveUp(int64_t worker) {
    const std::string reason = absl::StrCat(
        "worker ", worker, " said nothing for ", options.lease.count(), " s");
    LogWarning(reason);
    const absl::Status status = scheduler.LoseWorker(worker, reason);
    if (!status.ok()) LogWarning(status.ToString());
    if (executor == nullptr) return;
    executor->KillLater(worker, std::chrono::milliseconds(0),
                        [] { return true; });
  }

  const ServerOptions options;
  DirectoryLock lock;
  std::unique_ptr<Database> database;
  BlobStore blobs;
  Scratch scratch{
      std::filesystem::absolute(options.data_directory / "scratch"),
      std::filesystem::absolute(options.data_directory / "hidden_states"),
      options.hidden_state_bytes};
  JobChanges changes;
  std::shared_ptr<prometheus::Registry> registry =
      std::make_shared<prometheus::Registry>();
  JobMetrics job_metrics{*registry};
  CallMetrics call_metrics{*registry};
  JobRecord record{&job_metrics};
  WorkerPulse pulse;

  JobStore jobs{database.get(), Tell()};
  JobQueue queue{database.get(), Tell()};
  AttemptStore attempts{database.get(), Tell()};
  ResultStore results{database.get(), &blobs};
  DatasetStore datasets{database.get()};
  FingerprintStore fingerprints{database.get()};

  ModelRegistry models;
  DataCatalog catalog{&datasets, &fingerprints, &blobs};
  JobPlanner planner{
      &models, &catalog, &fingerprints,
      std::filesystem::absolute(options.data_directory / "trained")};
  EstimateStore estimates{database.get()};
  Estimator estimator{&queue, &estimates, scratch.hidden_states()};
  RunningTasks running;
  JobRests rests;
  Scheduler scheduler{{.queue = &queue,
                       .attempts = &attempts,
                       .planner = &planner,
                       .catalog = &catalog,
                       .estimator = &estimator,
                       .running = &running,
                       .scratch = &scratch,
                       .rests = &rests,
                       .pulse = &pulse,
                       .metrics = &job_metrics,
                       .record = &record}};

  JobOperations job_operations{
      {.jobs = &jobs,
       .models = &models,
       .catalog = &catalog,
       .planner = &planner,
       .scheduler = &scheduler,
       .estimator = &estimator,
       .scratch = &scratch,
       .metrics = &job_metrics,
       .record = &record,
       .enforce_cancel = [this](const JobRow& row) { EnforceCancel(row); }}};
  ResultOperations result_operations{&jobs, &results};
  DatasetOperations dataset_operations{&datasets, &blobs};
  ServerOperations server_operations{&models, &scheduler, options.worker_count,
                                     options.threads_per_worker};
  TaskOperations task_operations{{.running = &running,
                                  .attempts = &attempts,
                                  .scheduler = &scheduler,
                                  .estimator = &estimator,
                                  .planner = &planner,
                                  .fingerprints = &fingerprints,
                                  .blobs = &blobs,
                                  .scratch = &scratch,
                                  .rests = &rests,
                                  .pulse = &pulse,
                                  .record = &record}};

  JobServiceImpl job_service{&job_operations, &jobs, &changes};
  ResultServiceImpl result_service{&result_operations};
  DatasetServiceImpl dataset_service{&dataset_operations};
  ServerServiceImpl server_service{&server_operations};
  WorkerServiceImpl worker_service{&scheduler, &task_operations};
  AdminServiceImpl admin_service{options.data_directory};

  std::shared_ptr<ServerGauges> gauges = std::make_shared<ServerGauges>(
      ServerGauges::Parts{.queue = &queue,
                          .scheduler = &scheduler,
                          .pulse = &pulse,
                          .data_directory = options.data_directory});

  std::string worker_address;
  std::unique_ptr<Listener> worker_listener;
  std::unique_ptr<LocalExecutor> executor;
  std::unique_ptr<Listener> client_listener;
  std::unique_ptr<MetricsPage> metrics_page;
  std::unique_ptr<WorkerHealth> health;
  std::unique_ptr<WorkerLeases> leases;
  bool stopped = false;
};

namespace {

// What an earlier server left: attempts, and scratch of jobs that ended.
absl::Status TidyUp(AttemptStore& attempts, const Scratch& scratch) {
  MOEPROBE_RETURN_IF_ERROR(attempts.ReleaseAll());
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<int64_t> open,
                            attempts.OpenJobs());
  scratch.RemoveAllBut(open);
  return absl::OkStatus();
}

absl::Status CheckWorkerBinary(const std::filesystem::path& binary) {
  if (access(binary.c_str(), X_OK) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "worker binary ", binary.string(), ": not there, or not executable"));
}

absl::StatusOr<std::unique_ptr<LocalExecutor>> StartWorkers(
    const ServerOptions& options, const std::string& worker_address,
    Scheduler& scheduler) {
  if (options.worker_count == 0) return nullptr;
  MOEPROBE_RETURN_IF_ERROR(CheckWorkerBinary(options.worker_binary));
  return LocalExecutor::Start(
      {.command = {options.worker_binary.string(), "--server", worker_address,
                   "--threads", absl::StrCat(options.threads_per_worker),
                   "--server-pid", absl::StrCat(getpid())},
       .worker_count = options.worker_count,
       .on_start = [&](int64_t pid) { scheduler.WorkerStarted(pid); },
       .on_death =
           [&](int64_t pid, const std::string& reason) {
             const absl::Status status = scheduler.WorkerDied(pid, reason);
             if (!status.ok()) LogWarning(status.ToString());
           }});
}

}  // namespace

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { Stop(); }

const std::string& Server::address() const {
  return parts_->client_listener->address();
}

const std::string& Server::worker_address() const {
  return parts_->worker_address;
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    const ServerOptions& options) {
  MOEPROBE_ASSIGN_OR_RETURN(DirectoryLock lock,
                            DirectoryLock::Acquire(options.data_directory));
  MOEPROBE_ASSIGN_OR_RETURN(auto roots, OpenRoots(options.model_roots));
  MOEPROBE_ASSIGN_OR_RETURN(ModelRoot home,
                            ModelRoot::Open(options.data_directory));
  MOEPROBE_ASSIGN_OR_RETURN(
      auto database, Database::Open(options.data_directory / "moeprobe.db"));
  MOEPROBE_ASSIGN_OR_RETURN(BlobStore blobs,
                            BlobStore::Open(options.data_directory / "blobs"));
  auto parts = std::make_unique<Parts>(options, std::move(lock),
                                       std::move(database), std::move(blobs),
                                       std::move(roots), std::move(home));
  Parts& all = *parts;
  MOEPROBE_RETURN_IF_ERROR(TidyUp(all.attempts, all.scratch));
  std::unique_ptr<Server> server(new Server(std::move(parts)));

  all.worker_address = absl::StrCat(
      "unix:", std::filesystem::absolute(options.data_directory / "worker.sock")
                   .string());
  MOEPROBE_ASSIGN_OR_RETURN(
      all.worker_listener,
      Listener::Start(all.worker_address,
                      kSpareThreads + kThreadsPerWorker * options.worker_count,
                      {&all.worker_service, &all.admin_service},
                      &all.call_metrics));
  MOEPROBE_ASSIGN_OR_RETURN(
      all.executor, StartWorkers(options, all.worker_address, all.scheduler));
  MOEPROBE_ASSIGN_OR_RETURN(
      all.client_listener,
      Listener::Start(options.address, kClientThreads,
                      {&all.job_service, &all.result_service,
                       &all.dataset_service, &all.server_service},
                      &all.call_metrics));
  all.health =
      std::make_unique<WorkerHealth>(&all.pulse, all.client_listener.get());
  all.leases = std::make_unique<WorkerLeases>(WorkerLeases::Parts{
      .running = &all.running,
      .pulse = &all.pulse,
      .lease = options.lease,
      .on_expiry = [&all](int64_t worker) { all.GiveUp(worker); }});
  MOEPROBE_RETURN_IF_ERROR(all.ShowMetrics());
  return server;
}

void Server::Stop() {
  Parts& all = *parts_;
  if (std::exchange(all.stopped, true)) return;
  if (all.client_listener != nullptr) all.client_listener->Drain();
  all.job_operations.Stop();
  all.scheduler.Drain();
  all.task_operations.AskBack();
  all.running.WaitUntilEmpty(all.options.drain_patience);
  all.health.reset();
  all.leases.reset();
  all.changes.Stop();
  all.scheduler.Stop();
  if (all.executor != nullptr) all.executor->Stop();
  if (all.client_listener != nullptr) all.client_listener->Stop(kDrainGrace);
  if (all.worker_listener != nullptr) all.worker_listener->Stop(kDrainGrace);
  const absl::Status released = all.attempts.ReleaseAll();
  if (!released.ok()) LogWarning(released.ToString());
}

}  // namespace moeprobe

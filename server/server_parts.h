// What a server is made of, and what its parts do to each other.

#ifndef MOEPROBE_SERVER_SERVER_PARTS_H_
#define MOEPROBE_SERVER_SERVER_PARTS_H_

#include <prometheus/registry.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/steady_time.h"
#include "moeprobe/v1/access.pb.h"
#include "server/access/audit_log.h"
#include "server/access/authenticator.h"
#include "server/access/caller.h"
#include "server/access/user_directory.h"
#include "server/call_gate.h"
#include "server/data_catalog.h"
#include "server/dataset_operations.h"
#include "server/estimator.h"
#include "server/job_changes.h"
#include "server/job_ends.h"
#include "server/job_operations.h"
#include "server/job_places.h"
#include "server/job_plan.h"
#include "server/job_record.h"
#include "server/job_rests.h"
#include "server/listener.h"
#include "server/local_executor.h"
#include "server/memory_schedule.h"
#include "server/memory_waits.h"
#include "server/metrics/call_metrics.h"
#include "server/metrics/job_metrics.h"
#include "server/metrics_page.h"
#include "server/model_memory.h"
#include "server/model_registry.h"
#include "server/model_root.h"
#include "server/place_news.h"
#include "server/port_listener.h"
#include "server/queue_looks.h"
#include "server/repeated_call.h"
#include "server/result_operations.h"
#include "server/retention.h"
#include "server/running_tasks.h"
#include "server/scheduler.h"
#include "server/scratch.h"
#include "server/server_gauges.h"
#include "server/server_operations.h"
#include "server/server_options.h"
#include "server/service_set.h"
#include "server/started_workers.h"
#include "server/task_operations.h"
#include "server/trained_runs.h"
#include "server/user_operations.h"
#include "server/worker_health.h"
#include "server/worker_leases.h"
#include "server/worker_pulse.h"
#include "storage/attempt_store.h"
#include "storage/blob_store.h"
#include "storage/data_layout.h"
#include "storage/database.h"
#include "storage/dataset_store.h"
#include "storage/directory_lock.h"
#include "storage/estimate_store.h"
#include "storage/fingerprint_store.h"
#include "storage/job.h"
#include "storage/job_queue.h"
#include "storage/job_store.h"
#include "storage/pin_store.h"
#include "storage/result_store.h"
#include "storage/retention_store.h"
#include "storage/share_store.h"
#include "storage/user_store.h"

namespace moeprobe {

// Everything, in the order in which it is built; destroyed the other way.
struct ServerParts {
  // What is opened first, and may be refused.
  struct Opened {
    DirectoryLock lock;
    std::unique_ptr<Database> database;
    std::unique_ptr<AuditLog> audit;
    BlobStore blobs;
    std::vector<ModelRoot> roots;
    ModelRoot home;
    Peer own_account;
  };

  ServerParts(ServerOptions server_options, Opened opened)
      : options(std::move(server_options)),
        own_account(std::move(opened.own_account)),
        lock(std::move(opened.lock)),
        database(std::move(opened.database)),
        audit(std::move(opened.audit)),
        blobs(std::move(opened.blobs)),
        models(std::move(opened.roots), std::move(opened.home), &jobs) {}

  // Of users and admins, as far as they are there.
  std::vector<Listener*> ClientListeners() const;

  // Services for connections of users, and of the server's own account.
  MakeServices ClientServicesMaker();
  MakeServices OwnServicesMaker();

  // Reads who the users are, and gives what nobody owns to the server's own.
  absl::Status OpenUsers();

  // Shows metrics where the options say.
  absl::Status ShowMetrics();

  // Drops results by and by, as the options say.
  std::unique_ptr<RepeatedCall> Retain();

  // Takes tasks from workers that get no further, and ends those workers.
  std::unique_ptr<WorkerLeases> Lease();

  // What the parts below use.

  // Wakes who waits for a job to change.
  JobListener Tell();
  v1::Visibility DefaultVisibility() const;
  // Kills the worker of a cancelled job that does not stop by itself.
  void EnforceCancel(const JobRow& row);
  // Takes a task from its worker, which did `what`, and ends that.
  void GiveUp(const RunningTask& task, const std::string& what);
  // Ends a worker that holds nothing and did `what`.
  void EndIdle(int64_t worker, const std::string& what);
  void Kill(int64_t worker);
  // Fails a job that takes longer than it may, and ends its worker.
  void EndOverdue(const RunningTask& task);

  const ServerOptions options;
  // Absolute: workers have a directory of their own.
  const DataLayout layout{std::filesystem::absolute(options.data_directory)};
  const Peer own_account;  // that the server runs as
  // By which attempts are measured, and what users had.
  const std::function<absl::Time()> steady_time = SteadyTime();
  DirectoryLock lock;
  std::unique_ptr<Database> database;
  std::unique_ptr<AuditLog> audit;
  BlobStore blobs;
  Scratch scratch{layout.scratch, layout.hidden_states,
                  options.hidden_state_bytes};
  JobChanges changes;
  std::shared_ptr<prometheus::Registry> registry =
      std::make_shared<prometheus::Registry>();
  JobMetrics job_metrics{*registry};
  CallMetrics call_metrics{*registry};
  JobRecord record{&job_metrics};
  WorkerPulse pulse;

  JobStore jobs{database.get(), Tell(), absl::Now, options.limits};
  JobQueue queue{database.get(), Tell(), steady_time, options.limits};
  AttemptStore attempts{database.get(), Tell(), steady_time};
  ResultStore results{database.get(), &blobs};
  DatasetStore datasets{database.get(), options.limits};
  UserStore user_store{database.get()};
  ShareStore shares{database.get(), steady_time};
  FingerprintStore fingerprints{database.get()};
  RetentionStore retention_store{database.get(), Tell()};
  PinStore pins{database.get()};

  ModelRegistry models;
  DataCatalog catalog{&datasets, &fingerprints, &blobs};
  JobPlanner planner{&models, &catalog, &fingerprints, layout.trained};
  EstimateStore estimates{database.get()};
  Estimator estimator{&queue, &estimates, scratch.hidden_states()};
  RunningTasks running;
  MemorySchedule memory{options.memory_budget.bytes};
  JobRests rests;
  JobEnds ends{{.running = &running,
                .scratch = &scratch,
                .rests = &rests,
                .record = &record}};
  Scheduler scheduler{{.queue = &queue,
                       .attempts = &attempts,
                       .planner = &planner,
                       .catalog = &catalog,
                       .estimator = &estimator,
                       .running = &running,
                       .memory = &memory,
                       .scratch = &scratch,
                       .rests = &rests,
                       .pulse = &pulse,
                       .record = &record,
                       .ends = &ends}};

  ModelMemory model_memory{{.models = &models,
                            .pins = &pins,
                            .running = &running,
                            .scheduler = &scheduler,
                            .jobs = &jobs}};
  MemoryWaits memory_waits{&memory, &running, &jobs};
  QueueLooks looks{&queue, &pulse, &memory, options.worker_count};
  JobPlaces places{&looks, &memory_waits};
  JobOperations job_operations{
      {.jobs = &jobs,
       .models = &models,
       .catalog = &catalog,
       .planner = &planner,
       .scheduler = &scheduler,
       .estimator = &estimator,
       .memory = &memory,
       .record = &record,
       .ends = &ends,
       .places = &places,
       .default_visibility = DefaultVisibility(),
       .enforce_cancel = [this](const JobRow& row) { EnforceCancel(row); }}};
  ResultOperations result_operations{&jobs, &results, &places};
  DatasetOperations dataset_operations{&datasets, &blobs, DefaultVisibility()};
  ServerOperations server_operations{
      {.models = &models,
       .scheduler = &scheduler,
       .audit = audit.get(),
       .running = &running,
       .memory = &memory,
       .model_memory = &model_memory,
       .memory_budget = options.memory_budget,
       .worker_count = options.worker_count,
       .threads_per_worker = options.threads_per_worker,
       .default_visibility = DefaultVisibility(),
       .isolation = IsolationOf(options)}};
  TaskOperations task_operations{{.running = &running,
                                  .attempts = &attempts,
                                  .scheduler = &scheduler,
                                  .estimator = &estimator,
                                  .planner = &planner,
                                  .fingerprints = &fingerprints,
                                  .blobs = &blobs,
                                  .rests = &rests,
                                  .pulse = &pulse,
                                  .ends = &ends}};

  // Once OpenUsers() was called.
  std::unique_ptr<UserDirectory> users;
  std::optional<Authenticator> authenticator;
  GateParts gate;
  std::optional<UserOperations> user_operations;

  std::shared_ptr<ServerGauges> gauges = std::make_shared<ServerGauges>(
      ServerGauges::Parts{.queue = &queue,
                          .retention = &retention_store,
                          .scheduler = &scheduler,
                          .pulse = &pulse,
                          .running = &running,
                          .memory = &memory,
                          .data_directory = options.data_directory});

  Retention retention{{.store = &retention_store,
                       .blobs = &blobs,
                       .runs = TrainedRuns(layout.trained),
                       .models = &models,
                       .planner = &planner,
                       .scheduler = &scheduler,
                       .running = &running,
                       .record = &record,
                       .audit = audit.get(),
                       .rules = options.retention}};

  std::string worker_address;
  std::unique_ptr<PortListener> worker_listener;
  std::unique_ptr<LocalExecutor> executor;
  std::vector<std::unique_ptr<Listener>> client_listeners;
  std::unique_ptr<Listener> admin_listener;
  std::unique_ptr<MetricsPage> metrics_page;
  std::unique_ptr<WorkerHealth> health;
  std::unique_ptr<WorkerLeases> leases;
  std::string retention_problem;  // why it did not go on last
  std::unique_ptr<RepeatedCall> retaining;
  std::unique_ptr<PlaceNews> place_news;
  bool stopped = false;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SERVER_PARTS_H_

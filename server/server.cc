#include "server/server.h"

#include <grpcpp/impl/service_type.h>
#include <grpcpp/security/server_credentials.h>
#include <prometheus/registry.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/disk_error.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/access.pb.h"
#include "server/access/audit_log.h"
#include "server/access/authenticator.h"
#include "server/access/caller.h"
#include "server/access/user_directory.h"
#include "server/access/user_name.h"
#include "server/admin_service.h"
#include "server/client_listener.h"
#include "server/client_services.h"
#include "server/data_catalog.h"
#include "server/dataset_operations.h"
#include "server/estimator.h"
#include "server/isolation/kernel_walls.h"
#include "server/job_changes.h"
#include "server/job_operations.h"
#include "server/job_places.h"
#include "server/job_plan.h"
#include "server/job_record.h"
#include "server/job_rests.h"
#include "server/listen_address.h"
#include "server/listener.h"
#include "server/local_executor.h"
#include "server/log.h"
#include "server/metrics/call_metrics.h"
#include "server/metrics/job_metrics.h"
#include "server/metrics/metrics_page.h"
#include "server/metrics/server_gauges.h"
#include "server/model_registry.h"
#include "server/model_root.h"
#include "server/port_listener.h"
#include "server/result_operations.h"
#include "server/running_tasks.h"
#include "server/scheduler.h"
#include "server/scratch.h"
#include "server/server_operations.h"
#include "server/service_set.h"
#include "server/task_operations.h"
#include "server/user_operations.h"
#include "server/worker_health.h"
#include "server/worker_leases.h"
#include "server/worker_pulse.h"
#include "server/worker_service.h"
#include "storage/access.h"
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
#include "storage/share_store.h"
#include "storage/user_store.h"

namespace moeprobe {
namespace {

// How long a worker may take to stop when its job is cancelled.
constexpr std::chrono::milliseconds kCancelGrace{2'000};
// How long calls may go on when the server stops.
constexpr std::chrono::milliseconds kDrainGrace{2'000};
// Calls of one worker: a claim, or a report beside a layer.
constexpr int kThreadsPerWorker = 4;
constexpr int kSpareThreads = 16;

// Of checkpoints of training and of token ids.
constexpr int64_t kMaxOtherFileBytes = int64_t{64} << 30;

// In the data directory: where admins find the server, however else it listens.
constexpr const char* kAdminSocket = "admin.sock";

absl::StatusOr<std::vector<ModelRoot>> OpenRoots(
    const std::vector<std::filesystem::path>& directories) {
  std::vector<ModelRoot> roots;
  for (const std::filesystem::path& directory : directories) {
    MOEPROBE_ASSIGN_OR_RETURN(ModelRoot root, ModelRoot::Open(directory));
    roots.push_back(std::move(root));
  }
  return roots;
}

v1::Visibility DefaultVisibility(const ServerOptions& options) {
  return options.private_by_default ? v1::VISIBILITY_PRIVATE
                                    : v1::VISIBILITY_LAB;
}

// The account that the server runs as.
Peer OwnAccount() { return {.uid = geteuid(), .user = UserOfUid(geteuid())}; }

// Tells of lines that the audit log lacks, ever less often.
void WarnOfLostLine(const absl::Status& status, int64_t count) {
  if (!std::has_single_bit(static_cast<uint64_t>(count))) return;
  LogWarning(absl::StrCat(status.ToString(), "; ", count, " lines are lost"));
}

// The services for workers and for commands of the server's own account, at the
// socket that these alone reach.
class OwnServices final : public ServiceSet {
 public:
  OwnServices(Scheduler* scheduler, TaskOperations* operations,
              const std::filesystem::path& data_directory)
      : workers_(scheduler, operations), admin_(data_directory) {}

  std::vector<grpc::Service*> All() override { return {&workers_, &admin_}; }

 private:
  WorkerServiceImpl workers_;
  AdminServiceImpl admin_;
};

}  // namespace

// Everything, in the order in which it is built; destroyed the other way.
struct Server::Parts {
  // What is opened first, and may be refused.
  struct Opened {
    DirectoryLock lock;
    std::unique_ptr<Database> database;
    std::unique_ptr<AuditLog> audit;
    BlobStore blobs;
    std::vector<ModelRoot> roots;
    ModelRoot home;
  };

  Parts(ServerOptions server_options, Opened opened)
      : options(std::move(server_options)),
        lock(std::move(opened.lock)),
        database(std::move(opened.database)),
        audit(std::move(opened.audit)),
        blobs(std::move(opened.blobs)),
        models(std::move(opened.roots), std::move(opened.home)) {}

  JobListener Tell() {
    return [this](int64_t job) {
      changes.Notify(job);
      scheduler.Wake();
    };
  }

  // Of users and admins.
  std::vector<Listener*> ClientListeners() const {
    std::vector<Listener*> all = {admin_listener.get()};
    for (const auto& listener : client_listeners) all.push_back(listener.get());
    return all;
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
      const auto now = jobs.Get(ServerItself(), row.id);
      return now.ok() && now->state == JobState::kCancelling &&
             now->attempt == row.attempt;
    });
  }

  // Takes its task from a worker that did `what`, and ends it.
  void GiveUp(int64_t worker, const std::string& what) {
    const std::string reason = absl::StrCat("worker ", worker, " ", what);
    LogWarning(reason);
    const absl::Status status = scheduler.LoseWorker(worker, reason);
    if (!status.ok()) LogWarning(status.ToString());
    if (executor == nullptr) return;
    executor->KillLater(worker, std::chrono::milliseconds(0),
                        [] { return true; });
  }

  // Fails a job that takes longer than it may, and ends its worker.
  void EndOverdue(const RunningTask& task) {
    const absl::Status failed = task_operations.Fail(
        task, {.code = static_cast<int>(absl::StatusCode::kDeadlineExceeded),
               .message = absl::StrCat(
                   "took longer than ", options.max_job_time.count(),
                   " s, the most that this server allows")});
    if (!failed.ok()) {
      LogWarning(failed.ToString());
      return;
    }
    GiveUp(task.worker, "held a job for too long");
  }

  std::unique_ptr<WorkerLeases> Lease() {
    return std::make_unique<WorkerLeases>(WorkerLeases::Parts{
        .running = &running,
        .pulse = &pulse,
        .lease = options.lease,
        .stall = options.stall,
        .on_expiry = [this](int64_t worker,
                            const std::string& what) { GiveUp(worker, what); },
        .max_job_time = options.max_job_time,
        .on_overdue = [this](const RunningTask& task) { EndOverdue(task); }});
  }

  // Services for connections that come from `origin`.
  MakeServices ClientServicesMaker() {
    return [this](const Origin& origin) {
      return std::make_unique<ClientServices>(
          ClientParts{.gate = {.authenticator = &*authenticator,
                               .users = users.get(),
                               .audit = audit.get()},
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

  // Reads who the users are, and gives what nobody owns to the server's own.
  absl::Status OpenUsers() {
    MOEPROBE_ASSIGN_OR_RETURN(users, UserDirectory::Open(&user_store, [this] {
                                changes.NotifyAll();
                              }));
    authenticator.emplace(users.get(), own_account);
    user_operations.emplace(users.get(), &shares);
    MOEPROBE_RETURN_IF_ERROR(jobs.Adopt(own_account.user));
    return datasets.Adopt(own_account.user);
  }

  const ServerOptions options;
  const Peer own_account = OwnAccount();
  DirectoryLock lock;
  std::unique_ptr<Database> database;
  std::unique_ptr<AuditLog> audit;
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

  JobStore jobs{database.get(), Tell(), absl::Now, options.limits};
  JobQueue queue{database.get(), Tell(), absl::Now, options.limits};
  AttemptStore attempts{database.get(), Tell()};
  ResultStore results{database.get(), &blobs};
  DatasetStore datasets{database.get(), options.limits};
  UserStore user_store{database.get()};
  ShareStore shares{database.get()};
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
                       .record = &record}};

  JobPlaces places{&queue, &pulse, options.worker_count};
  JobOperations job_operations{
      {.jobs = &jobs,
       .models = &models,
       .catalog = &catalog,
       .planner = &planner,
       .scheduler = &scheduler,
       .estimator = &estimator,
       .scratch = &scratch,
       .record = &record,
       .places = &places,
       .default_visibility = DefaultVisibility(options),
       .enforce_cancel = [this](const JobRow& row) { EnforceCancel(row); }}};
  ResultOperations result_operations{&jobs, &results, &places};
  DatasetOperations dataset_operations{&datasets, &blobs,
                                       DefaultVisibility(options)};
  ServerOperations server_operations{
      {.models = &models,
       .scheduler = &scheduler,
       .audit = audit.get(),
       .worker_count = options.worker_count,
       .threads_per_worker = options.threads_per_worker,
       .default_visibility = DefaultVisibility(options)}};
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

  // Once OpenUsers() was called.
  std::unique_ptr<UserDirectory> users;
  std::optional<Authenticator> authenticator;
  std::optional<UserOperations> user_operations;

  std::shared_ptr<ServerGauges> gauges = std::make_shared<ServerGauges>(
      ServerGauges::Parts{.queue = &queue,
                          .scheduler = &scheduler,
                          .pulse = &pulse,
                          .data_directory = options.data_directory});

  std::string worker_address;
  std::unique_ptr<Listener> worker_listener;
  std::unique_ptr<LocalExecutor> executor;
  std::vector<std::unique_ptr<Listener>> client_listeners;
  std::unique_ptr<Listener> admin_listener;
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

// A socket in the data directory.
std::string SocketIn(const ServerOptions& options, const char* name) {
  return absl::StrCat(
      "unix:",
      std::filesystem::absolute(options.data_directory / name).string());
}

absl::Status CheckWorkerBinary(const std::filesystem::path& binary) {
  if (access(binary.c_str(), X_OK) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "worker binary ", binary.string(), ": not there, or not executable"));
}

// Hidden states are the largest files that a worker writes.
int64_t MaxFileBytes(const ServerOptions& options) {
  return std::max(options.hidden_state_bytes, kMaxOtherFileBytes);
}

// Where workers write, in the data directory.
std::vector<std::filesystem::path> WorkerDirectories(
    const ServerOptions& options) {
  const std::filesystem::path data =
      std::filesystem::absolute(options.data_directory);
  std::vector<std::filesystem::path> directories = {data / "scratch",
                                                    data / "trained"};
  if (options.hidden_state_bytes > 0) {
    directories.push_back(data / "hidden_states");
  }
  return directories;
}

// Workers may write only what is there when they start.
absl::Status MakeWorkerDirectories(const ServerOptions& options) {
  for (const std::filesystem::path& directory : WorkerDirectories(options)) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return DiskError(error.value(), directory);
  }
  return absl::OkStatus();
}

// Says what isolates workers and what is missing; refuses where that is too
// little.
absl::Status CheckIsolation(const ServerOptions& options) {
  const KernelWalls walls = WallsOfThisKernel();
  if (options.require_isolation) {
    MOEPROBE_RETURN_IF_ERROR(CheckWalls(walls));
  }
  LogInfo(Description(walls));
  for (const std::string& gap : GapsIn(walls)) LogWarning(gap);
  return absl::OkStatus();
}

std::vector<std::string> WorkerCommand(const ServerOptions& options,
                                       const std::string& address) {
  std::vector<std::string> command = {
      options.worker_binary.string(),
      "--server",
      address,
      "--threads",
      absl::StrCat(options.threads_per_worker),
      "--server-pid",
      absl::StrCat(getpid()),
      "--memory",
      absl::StrCat(options.worker_memory_bytes),
      "--file-size",
      absl::StrCat(MaxFileBytes(options)),
      "--readable",
      std::filesystem::absolute(options.data_directory / "blobs")};
  for (const std::filesystem::path& root : options.model_roots) {
    command.insert(command.end(), {"--readable", root});
  }
  for (const std::filesystem::path& directory : WorkerDirectories(options)) {
    command.insert(command.end(), {"--writable", directory});
  }
  return command;
}

absl::StatusOr<std::unique_ptr<LocalExecutor>> StartWorkers(
    const ServerOptions& options, const std::string& worker_address,
    Scheduler& scheduler) {
  if (options.worker_count == 0) return nullptr;
  MOEPROBE_RETURN_IF_ERROR(CheckWorkerBinary(options.worker_binary));
  MOEPROBE_RETURN_IF_ERROR(CheckIsolation(options));
  MOEPROBE_RETURN_IF_ERROR(MakeWorkerDirectories(options));
  return LocalExecutor::Start(
      {.command = WorkerCommand(options, worker_address),
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

std::vector<std::string> Server::addresses() const {
  std::vector<std::string> addresses;
  for (const auto& listener : parts_->client_listeners) {
    addresses.push_back(listener->address());
  }
  return addresses;
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
  MOEPROBE_ASSIGN_OR_RETURN(
      auto audit,
      AuditLog::Open(options.data_directory / "audit.log", WarnOfLostLine));
  MOEPROBE_ASSIGN_OR_RETURN(BlobStore blobs,
                            BlobStore::Open(options.data_directory / "blobs"));
  auto parts = std::make_unique<Parts>(
      options, Parts::Opened{.lock = std::move(lock),
                             .database = std::move(database),
                             .audit = std::move(audit),
                             .blobs = std::move(blobs),
                             .roots = std::move(roots),
                             .home = std::move(home)});
  Parts& all = *parts;
  MOEPROBE_RETURN_IF_ERROR(all.OpenUsers());
  MOEPROBE_RETURN_IF_ERROR(TidyUp(all.attempts, all.scratch));
  std::unique_ptr<Server> server(new Server(std::move(parts)));

  all.worker_address = SocketIn(options, "worker.sock");
  MOEPROBE_RETURN_IF_ERROR(CheckListenAddress(all.worker_address));
  MOEPROBE_ASSIGN_OR_RETURN(
      all.worker_listener,
      PortListener::Start(
          all.worker_address, grpc::InsecureServerCredentials(),
          kSpareThreads + kThreadsPerWorker * options.worker_count,
          std::make_unique<OwnServices>(&all.scheduler, &all.task_operations,
                                        options.data_directory),
          &all.call_metrics));
  MOEPROBE_ASSIGN_OR_RETURN(
      all.executor, StartWorkers(options, all.worker_address, all.scheduler));
  MOEPROBE_ASSIGN_OR_RETURN(
      all.admin_listener,
      ListenForClients(SocketIn(options, kAdminSocket), {.socket_mode = 0600},
                       all.ClientServicesMaker(), &all.call_metrics));
  for (const std::string& address : options.addresses) {
    MOEPROBE_ASSIGN_OR_RETURN(
        auto listener,
        ListenForClients(address, options.listen, all.ClientServicesMaker(),
                         &all.call_metrics));
    all.client_listeners.push_back(std::move(listener));
  }
  all.health =
      std::make_unique<WorkerHealth>(&all.pulse, all.ClientListeners());
  all.leases = all.Lease();
  MOEPROBE_RETURN_IF_ERROR(all.ShowMetrics());
  return server;
}

void Server::ReopenAuditLog() {
  const absl::Status status = parts_->audit->Reopen();
  if (!status.ok()) LogWarning(status.ToString());
}

void Server::Stop() {
  Parts& all = *parts_;
  if (std::exchange(all.stopped, true)) return;
  for (const auto& listener : all.client_listeners) listener->Drain();
  all.job_operations.Stop();
  all.scheduler.Drain();
  all.task_operations.AskBack();
  all.running.WaitUntilEmpty(all.options.drain_patience);
  all.health.reset();
  all.leases.reset();
  all.changes.Stop();
  all.scheduler.Stop();
  if (all.executor != nullptr) all.executor->Stop();
  for (const auto& listener : all.client_listeners) listener->Stop(kDrainGrace);
  if (all.admin_listener != nullptr) all.admin_listener->Stop(kDrainGrace);
  if (all.worker_listener != nullptr) all.worker_listener->Stop(kDrainGrace);
  const absl::Status released = all.attempts.ReleaseAll();
  if (!released.ok()) LogWarning(released.ToString());
}

}  // namespace moeprobe

#include "server/server.h"

#include <grpcpp/impl/service_type.h>
#include <grpcpp/security/server_credentials.h>
#include <unistd.h>

#include <bit>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/crash_point.h"
#include "core/base/status_macros.h"
#include "server/access/audit_log.h"
#include "server/access/caller.h"
#include "server/access/user_name.h"
#include "server/client_listener.h"
#include "server/job_changes.h"
#include "server/job_operations.h"
#include "server/listen_address.h"
#include "server/listener.h"
#include "server/local_executor.h"
#include "server/log.h"
#include "server/model_root.h"
#include "server/place_news.h"
#include "server/port_listener.h"
#include "server/running_tasks.h"
#include "server/scratch.h"
#include "server/server_options.h"
#include "server/server_parts.h"
#include "server/service_set.h"
#include "server/started_workers.h"
#include "server/worker_health.h"
#include "server/worker_service.h"
#include "storage/attempt_store.h"
#include "storage/blob_store.h"
#include "storage/data_layout.h"
#include "storage/database.h"
#include "storage/directory_lock.h"
#include "storage/lost_database.h"
#include "storage/settle_blobs.h"
#include "storage/unfinished_files.h"

namespace moeprobe {
namespace {

// How long calls may go on when the server stops.
constexpr std::chrono::milliseconds kDrainGrace{2'000};
// Calls of one worker: a claim, or a report beside a layer.
constexpr int kThreadsPerWorker = 4;
constexpr int kSpareThreads = 16;
// How long what an earlier server had may still be held.
constexpr std::chrono::milliseconds kPatience{5'000};

absl::StatusOr<std::vector<ModelRoot>> OpenRoots(
    const std::vector<std::filesystem::path>& directories) {
  std::vector<ModelRoot> roots;
  for (const std::filesystem::path& directory : directories) {
    MOEPROBE_ASSIGN_OR_RETURN(ModelRoot root, ModelRoot::Open(directory));
    roots.push_back(std::move(root));
  }
  return roots;
}

// Tells of lines that the audit log lacks, ever less often.
void WarnOfLostLine(const absl::Status& status, int64_t count) {
  if (!std::has_single_bit(static_cast<uint64_t>(count))) return;
  LogWarning(absl::StrCat(status.ToString(), "; ", count, " lines are lost"));
}

// What workers may call, and nothing else.
class ServicesForWorkers final : public ServiceSet {
 public:
  explicit ServicesForWorkers(ServerParts& all)
      : workers_(&all.scheduler, &all.task_operations) {}

  std::vector<grpc::Service*> All() override { return {&workers_}; }

 private:
  WorkerServiceImpl workers_;
};

// What an earlier server left: attempts, scratch of jobs that ended, and what
// its workers had not finished.
absl::Status TidyUp(AttemptStore& attempts, const Scratch& scratch,
                    const std::filesystem::path& data_directory) {
  CrashPoint("start-attempts-not-released");
  MOEPROBE_RETURN_IF_ERROR(attempts.ReleaseAll());
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<int64_t> open,
                            attempts.OpenJobs());
  CrashPoint("start-scratch-not-tidied");
  scratch.RemoveAllBut(open);
  RemoveUnfinishedFiles(data_directory);
  return absl::OkStatus();
}

// The account that the server runs as.
absl::StatusOr<Peer> OwnAccount() {
  MOEPROBE_ASSIGN_OR_RETURN(std::string user, UserOfUid(geteuid()));
  return Peer{.uid = geteuid(), .user = std::move(user)};
}

// Opens what is in the data directory, which no other server may have.
absl::StatusOr<std::unique_ptr<ServerParts>> OpenParts(
    const ServerOptions& options) {
  const DataLayout layout(options.data_directory);
  MOEPROBE_ASSIGN_OR_RETURN(Peer own_account, OwnAccount());
  MOEPROBE_ASSIGN_OR_RETURN(
      DirectoryLock lock,
      DirectoryLock::Acquire(options.data_directory, kPatience));
  MOEPROBE_ASSIGN_OR_RETURN(auto roots, OpenRoots(options.model_roots));
  MOEPROBE_ASSIGN_OR_RETURN(ModelRoot home,
                            ModelRoot::Open(options.data_directory));
  MOEPROBE_RETURN_IF_ERROR(CheckNoDatabaseIsLost(layout));
  MOEPROBE_ASSIGN_OR_RETURN(auto database, Database::Open(layout.database));
  MOEPROBE_ASSIGN_OR_RETURN(auto audit,
                            AuditLog::Open(layout.audit_log, WarnOfLostLine));
  MOEPROBE_ASSIGN_OR_RETURN(BlobStore blobs, BlobStore::Open(layout.blobs));
  MOEPROBE_RETURN_IF_ERROR(SettleBlobs(*database, blobs));
  return std::make_unique<ServerParts>(
      options, ServerParts::Opened{.lock = std::move(lock),
                                   .database = std::move(database),
                                   .audit = std::move(audit),
                                   .blobs = std::move(blobs),
                                   .roots = std::move(roots),
                                   .home = std::move(home),
                                   .own_account = std::move(own_account)});
}

absl::Status ListenForWorkers(ServerParts& all) {
  all.worker_address = absl::StrCat("unix:", all.layout.worker_socket.string());
  MOEPROBE_RETURN_IF_ERROR(CheckListenAddress(all.worker_address));
  MOEPROBE_ASSIGN_OR_RETURN(
      all.worker_listener,
      PortListener::Start(
          all.worker_address, grpc::InsecureServerCredentials(),
          kSpareThreads + kThreadsPerWorker * all.options.worker_count,
          std::make_unique<ServicesForWorkers>(all), &all.call_metrics));
  return absl::OkStatus();
}

absl::Status ListenForUsers(ServerParts& all) {
  MOEPROBE_ASSIGN_OR_RETURN(
      all.admin_listener,
      ListenForClients(absl::StrCat("unix:", all.layout.admin_socket.string()),
                       {.socket_mode = 0600}, all.OwnServicesMaker(),
                       &all.call_metrics));
  for (const std::string& address : all.options.addresses) {
    MOEPROBE_ASSIGN_OR_RETURN(
        auto listener,
        ListenForClients(address, all.options.listen, all.ClientServicesMaker(),
                         &all.call_metrics));
    all.client_listeners.push_back(std::move(listener));
  }
  return absl::OkStatus();
}

}  // namespace

Server::Server(std::unique_ptr<ServerParts> parts) : parts_(std::move(parts)) {}

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
  MOEPROBE_ASSIGN_OR_RETURN(auto parts, OpenParts(options));
  ServerParts& all = *parts;
  MOEPROBE_RETURN_IF_ERROR(all.OpenUsers());
  MOEPROBE_RETURN_IF_ERROR(
      TidyUp(all.attempts, all.scratch, options.data_directory));
  MOEPROBE_RETURN_IF_ERROR(all.model_memory.Restore());
  std::unique_ptr<Server> server(new Server(std::move(parts)));
  MOEPROBE_RETURN_IF_ERROR(ListenForWorkers(all));
  MOEPROBE_ASSIGN_OR_RETURN(
      all.executor, StartWorkers(options, *all.worker_listener, all.scheduler));
  CrashPoint("start-workers-there-users-not");
  MOEPROBE_RETURN_IF_ERROR(ListenForUsers(all));
  all.health =
      std::make_unique<WorkerHealth>(&all.pulse, all.ClientListeners());
  all.leases = all.Lease();
  all.retaining = all.Retain();
  all.place_news = std::make_unique<PlaceNews>(&all.looks, &all.changes);
  MOEPROBE_RETURN_IF_ERROR(all.ShowMetrics());
  return server;
}

void Server::ReopenAuditLog() {
  const absl::Status status = parts_->audit->Reopen();
  if (!status.ok()) LogWarning(status.ToString());
}

void Server::Stop() {
  ServerParts& all = *parts_;
  if (std::exchange(all.stopped, true)) return;
  for (Listener* listener : all.ClientListeners()) listener->Drain();
  all.job_operations.Stop();
  all.scheduler.Drain();
  all.task_operations.AskBack();
  CrashPoint("stop-asked-back");
  all.running.WaitUntilEmpty(all.options.drain_patience);
  all.health.reset();
  all.leases.reset();
  all.retaining.reset();
  all.place_news.reset();
  all.changes.Stop();
  all.scheduler.Stop();
  if (all.executor != nullptr) all.executor->Stop();
  for (const auto& listener : all.client_listeners) listener->Stop(kDrainGrace);
  if (all.admin_listener != nullptr) all.admin_listener->Stop(kDrainGrace);
  if (all.worker_listener != nullptr) all.worker_listener->Stop(kDrainGrace);
  CrashPoint("stop-attempts-not-released");
  const absl::Status released = all.attempts.ReleaseAll();
  if (!released.ok()) LogWarning(released.ToString());
}

}  // namespace moeprobe

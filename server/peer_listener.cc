#include "server/peer_listener.h"

#include <asm-generic/socket.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_descriptor.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "server/access/caller.h"
#include "server/log.h"
#include "server/metrics/call_metrics.h"
#include "server/rpc_server.h"
#include "server/service_set.h"

namespace moeprobe {
namespace {

// How long to wait where there are no descriptors left.
constexpr std::chrono::milliseconds kPause{100};

absl::Status SystemError(const std::filesystem::path& path) {
  return absl::ErrnoToStatus(errno, "socket " + path.native());
}

// Removes a socket that somebody left; nothing else.
void RemoveSocket(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_socket(path, ignored)) {
    std::filesystem::remove(path, ignored);
  }
}

// Nobody can connect before the mode is what it should be.
absl::StatusOr<FileDescriptor> ListenAt(const std::filesystem::path& path,
                                        mode_t mode) {
  FileDescriptor file(
      socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("socket ", path.native(), ": its path is too long"));
  }
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  RemoveSocket(path);
  if (file.number() < 0 ||
      bind(file.number(), reinterpret_cast<const sockaddr*>(&address),
           sizeof(address)) != 0 ||
      chmod(path.c_str(), mode) != 0 || listen(file.number(), SOMAXCONN) != 0) {
    return SystemError(path);
  }
  return file;
}

// Who made a connection, as the kernel noted then.
std::optional<uid_t> PeerOf(const FileDescriptor& connection) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (getsockopt(connection.number(), SOL_SOCKET, SO_PEERCRED, &peer, &size) !=
      0) {
    return std::nullopt;
  }
  return peer.uid;
}

}  // namespace

PeerListener::PeerListener(std::filesystem::path path, int max_threads,
                           MakeServices make_services, CallMetrics* metrics,
                           UserLookup user_of, Descriptors descriptors)
    : path_(std::move(path)),
      address_("unix:" + path_.string()),
      max_threads_(max_threads),
      make_services_(std::move(make_services)),
      metrics_(metrics),
      user_of_(std::move(user_of)),
      descriptors_(std::move(descriptors)),
      thread_([this] { Accept(); }) {}

PeerListener::~PeerListener() { Stop(std::chrono::milliseconds(0)); }

absl::StatusOr<std::unique_ptr<PeerListener>> PeerListener::Start(
    const std::filesystem::path& path, mode_t mode, int max_threads,
    MakeServices make_services, CallMetrics* metrics, UserLookup user_of) {
  MOEPROBE_ASSIGN_OR_RETURN(FileDescriptor listening, ListenAt(path, mode));
  FileDescriptor wake(eventfd(0, EFD_CLOEXEC));
  if (wake.number() < 0) return SystemError(path);
  return std::unique_ptr<PeerListener>(new PeerListener(
      path, max_threads, std::move(make_services), metrics, std::move(user_of),
      {.listening = std::move(listening), .wake = std::move(wake)}));
}

void PeerListener::Accept() {
  while (true) {
    std::array<pollfd, 2> ready = {
        pollfd{
            .fd = descriptors_.wake.number(), .events = POLLIN, .revents = 0},
        pollfd{.fd = descriptors_.listening.number(),
               .events = POLLIN,
               .revents = 0}};
    if (poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return;
    if (ready[0].revents != 0) return;
    FileDescriptor connection(accept4(descriptors_.listening.number(), nullptr,
                                      nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection.number() >= 0) {
      Take(std::move(connection));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
      std::this_thread::sleep_for(kPause);
    }
  }
}

// Where no descriptor is left, waits for one, as for that of a connection.
absl::StatusOr<std::string> PeerListener::NameOf(uid_t uid) {
  auto name = user_of_(uid);
  pollfd wake{.fd = descriptors_.wake.number(), .events = POLLIN, .revents = 0};
  while (absl::IsResourceExhausted(name.status())) {
    if (poll(&wake, 1, static_cast<int>(kPause.count())) > 0) break;
    name = user_of_(uid);
  }
  return name;
}

void PeerListener::Take(FileDescriptor connection) {
  const auto uid = PeerOf(connection);
  if (!uid) return;
  auto name = NameOf(*uid);
  if (!name.ok()) {
    LogWarning(absl::StrCat(address_, ": a connection was closed: ",
                            std::string(name.status().message())));
    return;
  }
  const MutexLock lock(mutex_);
  grpc::Server* server = ServerOf({*uid, *std::move(name)});
  if (server == nullptr) {
    LogWarning(absl::StrCat(address_, ": no server for user id ", *uid));
    return;
  }
  // gRPC owns the descriptor from here on.
  grpc::AddInsecureChannelFromFd(server, connection.Release());
}

grpc::Server* PeerListener::ServerOf(const UserKey& key) {
  UserServer& user = servers_[key];
  if (user.server != nullptr) return user.server.get();
  user.services =
      make_services_({.peer = Peer{.uid = key.first, .user = key.second}});
  user.server = StartRpcServer(*user.services, max_threads_, metrics_,
                               [](grpc::ServerBuilder& /*builder*/) {});
  if (user.server == nullptr) return nullptr;
  auto* health = user.server->GetHealthCheckService();
  for (const auto& [service, is_serving] : health_) {
    health->SetServingStatus(service, is_serving);
  }
  if (is_draining_) health->Shutdown();
  return user.server.get();
}

void PeerListener::SetHealth(const std::string& service, bool is_serving) {
  const MutexLock lock(mutex_);
  health_[service] = is_serving;
  for (const auto& [key, user] : servers_) {
    if (user.server == nullptr) continue;
    user.server->GetHealthCheckService()->SetServingStatus(service, is_serving);
  }
}

void PeerListener::Drain() {
  const MutexLock lock(mutex_);
  is_draining_ = true;
  for (const auto& [key, user] : servers_) {
    if (user.server == nullptr) continue;
    user.server->GetHealthCheckService()->Shutdown();
  }
}

void PeerListener::Stop(std::chrono::milliseconds grace) {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  [[maybe_unused]] const auto written =
      write(descriptors_.wake.number(), &one, sizeof(one));
  thread_.join();
  descriptors_.listening = FileDescriptor(-1);
  RemoveSocket(path_);
  const auto end = std::chrono::steady_clock::now() + grace;
  const MutexLock lock(mutex_);
  for (const auto& [key, user] : servers_) {
    if (user.server == nullptr) continue;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    StopRpcServer(*user.server, address_,
                  std::max(left, std::chrono::milliseconds(0)));
  }
}

}  // namespace moeprobe

#ifndef MOEPROBE_SERVER_PEER_LISTENER_H_
#define MOEPROBE_SERVER_PEER_LISTENER_H_

#include <grpcpp/server.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"
#include "core/base/mutex.h"
#include "server/listener.h"
#include "server/metrics/call_metrics.h"
#include "server/service_set.h"

namespace moeprobe {

// Listens at a Unix socket and knows which user is at the other end of each
// connection: the kernel says so. gRPC 1.51 has no place for that, and what it
// calls a peer is a descriptor's number, which the next connection may get. So
// connections are taken here, and those of each user handed to a gRPC server
// and services of their own: who calls is a property of the services that are
// called, and one user's calls wait for no thread of another's.
class PeerListener final : public Listener {
 public:
  // Listens at a socket of this mode at `path`, taking the place of one that
  // nobody listens at, and works on at most `max_threads` calls of each user at
  // the same time. `metrics`, which must outlive it, hears of every call.
  // Errors are the system's.
  static absl::StatusOr<std::unique_ptr<PeerListener>> Start(
      const std::filesystem::path& path, mode_t mode, int max_threads,
      MakeServices make_services, CallMetrics* metrics);

  // Stops without patience.
  ~PeerListener() override;

  const std::string& address() const override { return address_; }
  void SetHealth(const std::string& service, bool is_serving) override;
  void Drain() override;
  void Stop(std::chrono::milliseconds grace) override;

 private:
  // What the connections of one user are handed to.
  struct UserServer {
    std::unique_ptr<ServiceSet> services;
    std::unique_ptr<grpc::Server> server;
  };

  PeerListener(std::filesystem::path path, int max_threads,
               MakeServices make_services, CallMetrics* metrics,
               FileDescriptor listening, FileDescriptor wake);

  void Accept();
  void Take(FileDescriptor connection);
  grpc::Server* ServerOf(uid_t uid) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::filesystem::path path_;
  const std::string address_;
  const int max_threads_;
  const MakeServices make_services_;
  CallMetrics* metrics_;
  FileDescriptor listening_;
  FileDescriptor wake_;  // readable once the thread has to end
  Mutex mutex_;
  bool is_draining_ ABSL_GUARDED_BY(mutex_) = false;
  // What is known of single services, by their names.
  std::map<std::string, bool> health_ ABSL_GUARDED_BY(mutex_);
  std::map<uid_t, UserServer> servers_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_PEER_LISTENER_H_

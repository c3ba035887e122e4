#ifndef MOEPROBE_SERVER_PEER_LISTENER_H_
#define MOEPROBE_SERVER_PEER_LISTENER_H_

#include <grpcpp/server.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"
#include "core/base/mutex.h"
#include "server/access/user_name.h"
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
  using UserLookup = std::function<absl::StatusOr<std::string>(uid_t)>;

  // Listens at a socket of this mode at `path`, taking the place of one that
  // nobody listens at, and works on at most `max_threads` calls of each user at
  // the same time. `metrics`, which must outlive it, hears of every call.
  // `user_of` looks up what the account of a connection is called, every time
  // anew, one after the other; where it cannot, the connection is closed.
  // Errors are the system's.
  static absl::StatusOr<std::unique_ptr<PeerListener>> Start(
      const std::filesystem::path& path, mode_t mode, int max_threads,
      MakeServices make_services, CallMetrics* metrics,
      UserLookup user_of = UserOfUid);

  // Stops without patience.
  ~PeerListener() override;

  const std::string& address() const override { return address_; }
  void SetHealth(const std::string& service, bool is_serving) override;
  void Drain() override;
  void Stop(std::chrono::milliseconds grace) override;

 private:
  // A user id, and the name that it had when somebody connected: a system may
  // give the id to another account.
  using UserKey = std::pair<uid_t, std::string>;
  // What the connections of one user are handed to.
  struct UserServer {
    std::unique_ptr<ServiceSet> services;
    std::unique_ptr<grpc::Server> server;
  };

  struct Descriptors {
    FileDescriptor listening;
    FileDescriptor wake;  // readable once the thread has to end
  };

  PeerListener(std::filesystem::path path, int max_threads,
               MakeServices make_services, CallMetrics* metrics,
               UserLookup user_of, Descriptors descriptors);

  void Accept();
  void Take(FileDescriptor connection);
  absl::StatusOr<std::string> NameOf(uid_t uid);
  grpc::Server* ServerOf(const UserKey& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::filesystem::path path_;
  const std::string address_;
  const int max_threads_;
  const MakeServices make_services_;
  CallMetrics* metrics_;
  const UserLookup user_of_;
  Descriptors descriptors_;
  Mutex mutex_;
  bool is_draining_ ABSL_GUARDED_BY(mutex_) = false;
  // What is known of single services, by their names.
  std::map<std::string, bool> health_ ABSL_GUARDED_BY(mutex_);
  std::map<UserKey, UserServer> servers_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // last: uses all of the above
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_PEER_LISTENER_H_

#ifndef MOEPROBE_SERVER_SERVER_H_
#define MOEPROBE_SERVER_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/server_options.h"

namespace moeprobe {

struct ServerParts;

// A running server: the database, the workers and all listeners.
class Server {
 public:
  // Starts a server; clients can connect when this returns. Errors name what
  // cannot be used: FailedPrecondition "already running, pid N" for a data
  // directory that another server has.
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      const ServerOptions& options);

  // Stops as Stop() does.
  ~Server();

  // Where it listens for users; with the real port for HOST:0.
  std::vector<std::string> addresses() const;

  // Where workers find it.
  const std::string& worker_address() const;

  // Goes on in a new audit log where the old one was moved away.
  void ReopenAuditLog();

  // Refuses new jobs, lets workers keep what they have reached, ends watches,
  // stops the workers and puts what they still held back into the queue.
  // Idempotent.
  void Stop();

 private:
  explicit Server(std::unique_ptr<ServerParts> parts);
  std::unique_ptr<ServerParts> parts_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SERVER_H_

#ifndef MOEPROBE_SERVER_CALL_GATE_H_
#define MOEPROBE_SERVER_CALL_GATE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/access/audit_log.h"
#include "server/access/authenticator.h"
#include "server/access/caller.h"
#include "server/access/user_directory.h"
#include "storage/access.h"

namespace moeprobe {

// What a gate asks and tells; all must outlive it and its calls.
struct GateParts {
  const Authenticator* authenticator = nullptr;
  UserDirectory* users = nullptr;
  AuditLog* audit = nullptr;
};

// A call that came to a gate.
class GatedCall {
 public:
  // Asks who calls. `entry` has where from, and what for.
  GatedCall(GateParts parts, Credentials credentials, AuditEntry entry);

  // Asks again, since a call may take long: OK if the caller is let in still.
  absl::Status Recheck();

  // OK if the caller was let in when that was asked last; then who it is.
  const absl::Status& admission() const { return caller_.status(); }
  const Caller& caller() const { return *caller_; }
  Viewer viewer() const { return ViewerOf(*caller_); }

  // Names what the call is about, where that is known late.
  void SetResource(const std::string& resource) { entry_.resource = resource; }

  // Notes how the call ended, once, before its end is told; returns that.
  grpc::Status End(const grpc::Status& outcome);

 private:
  GateParts parts_;
  Credentials credentials_;
  absl::StatusOr<Caller> caller_;
  AuditEntry entry_;
};

// The one way to what the server does for users, of connections that came in at
// one place: it says who calls, or turns them away, and notes every call.
class CallGate {
 public:
  CallGate(GateParts parts, Origin origin)
      : parts_(parts), origin_(std::move(origin)) {}

  // Begins a call of `method`, "JobService/GetJob", that is about `resource`,
  // "jobs/17" or nothing. It may outlive `context`.
  GatedCall Begin(const grpc::ServerContextBase& context,
                  const std::string& method, const std::string& resource) const;

  // Runs `body` between the beginning and the end of a call of somebody who is
  // let in.
  grpc::Status Run(const grpc::ServerContextBase& context,
                   const std::string& method, const std::string& resource,
                   const std::function<grpc::Status(GatedCall&)>& body) const;

 private:
  GateParts parts_;
  Origin origin_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_CALL_GATE_H_

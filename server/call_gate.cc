#include "server/call_gate.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/crash_point.h"
#include "server/access/audit_log.h"
#include "server/access/authenticator.h"
#include "server/access/caller.h"
#include "server/access/user_directory.h"
#include "server/grpc_status.h"
#include "server/log.h"

namespace moeprobe {
namespace {

// The two code enumerations have the same values.
std::string CodeName(grpc::StatusCode code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

// Where a call comes from. gRPC knows no more of a Unix socket than its number.
std::string FromOf(const grpc::ServerContextBase& context,
                   const Origin& origin) {
  if (origin.peer) return absl::StrCat("uid ", origin.peer->uid);
  return context.peer();
}

}  // namespace

GatedCall::GatedCall(GateParts parts, Credentials credentials, AuditEntry entry)
    : parts_(parts),
      credentials_(std::move(credentials)),
      caller_(parts_.authenticator->Authenticate(credentials_)),
      entry_(std::move(entry)) {
  entry_.proof = caller_.ok() ? NameOf(caller_->proof) : "none";
  if (!caller_.ok()) return;
  entry_.user = caller_->user;
  const absl::Status noted = parts_.users->NoteCall(caller_->user);
  if (!noted.ok()) {
    LogWarning(absl::StrCat("last call of ", caller_->user, ": ",
                            std::string(noted.message())));
  }
}

absl::Status GatedCall::Recheck() {
  caller_ = parts_.authenticator->Authenticate(credentials_);
  return caller_.status();
}

grpc::Status GatedCall::End(const grpc::Status& outcome) {
  entry_.outcome = CodeName(outcome.error_code());
  CrashPoint("call-done-not-in-audit-log");
  parts_.audit->Write(entry_);
  CrashPoint("call-in-audit-log-not-answered");
  return outcome;
}

GatedCall CallGate::Begin(const grpc::ServerContextBase& context,
                          const std::string& method,
                          const std::string& resource) const {
  return {parts_, CredentialsOf(context, origin_),
          AuditEntry{.from = FromOf(context, origin_),
                     .method = method,
                     .resource = resource}};
}

grpc::Status CallGate::Run(
    const grpc::ServerContextBase& context, const std::string& method,
    const std::string& resource,
    const std::function<grpc::Status(GatedCall&)>& body) const {
  GatedCall call = Begin(context, method, resource);
  return call.End(call.admission().ok() ? body(call)
                                        : ToGrpc(call.admission()));
}

}  // namespace moeprobe

#include "server/grpc_status.h"

#include <grpcpp/support/status.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/printable.h"

namespace moeprobe {
namespace {

constexpr size_t kMaxMessageBytes = 4000;

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  std::string message(status.message());
  if (message.size() > kMaxMessageBytes) {
    message = absl::StrCat(message.substr(0, kMaxMessageBytes), "...");
  }
  // The two code enumerations have the same values.
  return {static_cast<grpc::StatusCode>(status.code()), PrintableLine(message)};
}

}  // namespace moeprobe

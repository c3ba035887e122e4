#include "server/listen_address.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_descriptor.h"
#include "core/base/loopback.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

constexpr const char* kUnix = "unix:";

// Whether some process accepts connections on the socket.
bool IsInUse(const sockaddr_un& address) {
  const FileDescriptor file(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return connect(file.number(), reinterpret_cast<const sockaddr*>(&address),
                 sizeof(address)) == 0;
}

absl::Status CheckPath(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("socket ", Quoted(path), ": its path has ", path.size(),
                     " bytes, expected 1 to ", sizeof(address.sun_path) - 1));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (IsInUse(address)) {
    return absl::FailedPreconditionError(
        absl::StrCat("socket ", path, ": another process listens on it"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckListenAddress(const std::string& address) {
  if (const auto path = SocketPath(address)) return CheckPath(*path);
  const size_t colon = address.rfind(':');
  int port = -1;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 0 ||
      port > UINT16_MAX) {
    return absl::InvalidArgumentError(absl::StrCat(
        "address ", Quoted(address), ", expected unix:PATH or HOST:PORT"));
  }
  return absl::OkStatus();
}

absl::Status CheckLoopbackAddress(const std::string& address) {
  MOEPROBE_RETURN_IF_ERROR(CheckListenAddress(address));
  if (!SocketPath(address) && IsLoopback(address)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "address ", Quoted(address),
      " is not a loopback address, expected HOST:PORT with 127.0.0.1, [::1] or "
      "localhost"));
}

std::optional<std::string> SocketPath(const std::string& address) {
  if (!absl::StartsWith(address, kUnix)) return std::nullopt;
  return address.substr(std::strlen(kUnix));
}

std::string WithPort(const std::string& address, int port) {
  if (absl::StartsWith(address, kUnix)) return address;
  return absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
}

}  // namespace moeprobe

#include "server/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_descriptor.h"
#include "core/base/quoted.h"

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

bool IsLoopback(std::string host) {
  if (host == "localhost") return true;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) {
    return (ntohl(four.s_addr) >> 24U) == 127;
  }
  in6_addr six{};
  return inet_pton(AF_INET6, host.c_str(), &six) == 1 &&
         IN6_IS_ADDR_LOOPBACK(&six);
}

}  // namespace

absl::Status CheckListenAddress(const std::string& address) {
  if (absl::StartsWith(address, kUnix)) {
    return CheckPath(address.substr(std::strlen(kUnix)));
  }
  return CheckLoopbackAddress(address);
}

absl::Status CheckLoopbackAddress(const std::string& address) {
  const size_t colon = address.rfind(':');
  int port = -1;
  if (colon == std::string::npos ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 0 ||
      port > UINT16_MAX) {
    return absl::InvalidArgumentError(absl::StrCat(
        "address ", Quoted(address), ", expected unix:PATH or HOST:PORT"));
  }
  if (!IsLoopback(address.substr(0, colon))) {
    return absl::InvalidArgumentError(absl::StrCat(
        "address ", Quoted(address),
        " is not a loopback address: the server has no encryption and no "
        "passwords, expected 127.0.0.1, [::1] or localhost"));
  }
  return absl::OkStatus();
}

std::string WithPort(const std::string& address, int port) {
  if (absl::StartsWith(address, kUnix)) return address;
  return absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
}

}  // namespace moeprobe

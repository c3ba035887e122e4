#include "server/accepted_connections.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace moeprobe {
namespace {

// What a listen address and the sockets accepted there have in common: the path
// or the port.
std::string EndOf(const std::string& address) {
  if (absl::StartsWith(address, "unix:")) return address;
  return address.substr(address.rfind(':'));
}

// The same of a socket; "" if it is none, or has no such end.
std::string EndOf(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  auto* name = reinterpret_cast<sockaddr*>(&storage);
  if (getsockname(descriptor, name, &size) != 0) return "";
  switch (storage.ss_family) {
    case AF_UNIX:
      return absl::StrCat("unix:",
                          reinterpret_cast<sockaddr_un*>(name)->sun_path);
    case AF_INET:
      return absl::StrCat(
          ":", ntohs(reinterpret_cast<sockaddr_in*>(name)->sin_port));
    case AF_INET6:
      return absl::StrCat(
          ":", ntohs(reinterpret_cast<sockaddr_in6*>(name)->sin6_port));
    default:
      return "";
  }
}

// A listening socket has no peer.
bool HasPeer(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  return getpeername(descriptor, reinterpret_cast<sockaddr*>(&storage),
                     &size) == 0;
}

}  // namespace

int ShutDownAcceptedConnections(const std::string& address) {
  const std::string end = EndOf(address);
  int count = 0;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd", error)) {
    int descriptor = -1;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &descriptor) ||
        EndOf(descriptor) != end || !HasPeer(descriptor)) {
      continue;
    }
    if (shutdown(descriptor, SHUT_RDWR) == 0) ++count;
  }
  return count;
}

}  // namespace moeprobe

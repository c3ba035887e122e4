#include "server/worker/server_connection.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_descriptor.h"
#include "core/base/quoted.h"

namespace moeprobe {
namespace {

constexpr std::string_view kPath = "unix:";
constexpr std::string_view kNumber = "fd:";

absl::StatusOr<FileDescriptor> ConnectTo(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("socket ", Quoted(path), ": its path is too long"));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  FileDescriptor connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connection.number() >= 0 &&
      connect(connection.number(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0) {
    return connection;
  }
  return absl::ErrnoToStatus(errno, absl::StrCat("socket ", path));
}

// What it was started with, and not for what it starts.
absl::StatusOr<FileDescriptor> Take(const std::string& number) {
  int descriptor = -1;
  if (!absl::SimpleAtoi(number, &descriptor) ||
      fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("no open file ", Quoted(number)));
  }
  return FileDescriptor(descriptor);
}

}  // namespace

absl::StatusOr<FileDescriptor> ConnectToServer(const std::string& address) {
  if (address.starts_with(kPath))
    return ConnectTo(address.substr(kPath.size()));
  if (address.starts_with(kNumber)) return Take(address.substr(kNumber.size()));
  return absl::InvalidArgumentError(absl::StrCat(
      "address ", Quoted(address), ": expected unix:PATH or fd:N"));
}

}  // namespace moeprobe

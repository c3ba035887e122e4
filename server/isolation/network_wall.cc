#include "server/isolation/network_wall.h"

#include <linux/audit.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace moeprobe {
namespace {

constexpr uint32_t kRefuseSocket = SECCOMP_RET_ERRNO | EACCES;
constexpr uint32_t kRefuseCall = SECCOMP_RET_ERRNO | EPERM;
// As kernels that do not know the call: libraries then go on without.
constexpr uint32_t kUnknownCall = SECCOMP_RET_ERRNO | ENOSYS;
// Calls of x86's 32-bit programs on 64-bit registers have this bit; others, no
// numbers so large.
constexpr uint32_t kOtherCalls = 0x40000000;

// What the filter calls this machine; 0: a stranger.
uint32_t Architecture() {
  utsname name{};
  if (uname(&name) != 0) return 0;
  const std::string machine = name.machine;
  if (machine == "x86_64") return AUDIT_ARCH_X86_64;
  return machine == "aarch64" ? AUDIT_ARCH_AARCH64 : 0;
}

sock_filter Load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}

sock_filter Return(uint32_t action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}

// Leaves out the next statement unless what was loaded is `value`.
sock_filter OnlyIf(uint32_t value) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
}

// Leaves out the next statement if what was loaded is `value`.
sock_filter Unless(uint32_t value) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
}

std::vector<sock_filter> Filter() {
  return {Load(offsetof(seccomp_data, arch)), Unless(Architecture()),
          Return(kRefuseCall), Load(offsetof(seccomp_data, nr)),
          BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kOtherCalls, 0, 1),
          Return(kRefuseCall), OnlyIf(SYS_io_uring_setup), Return(kUnknownCall),
          OnlyIf(SYS_socket), Return(kRefuseSocket),
          // A pair of datagram sockets can be connected to a path.
          OnlyIf(SYS_socketpair), Return(kRefuseSocket),
          Return(SECCOMP_RET_ALLOW)};
}

}  // namespace

bool CanForbidSockets() {
  const uint32_t action = SECCOMP_RET_ERRNO;
  return Architecture() != 0 &&
         syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

absl::Status ForbidSockets() {
  if (!CanForbidSockets())
    return absl::UnimplementedError("there is no seccomp");
  std::vector<sock_filter> filter = Filter();
  const sock_fprog program = {.len = static_cast<uint16_t>(filter.size()),
                              .filter = filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, "seccomp");
}

}  // namespace moeprobe

#include "server/isolation/kernel_walls.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/isolation/file_walls.h"
#include "server/isolation/network_wall.h"

namespace moeprobe {
namespace {

constexpr int kWatchesCutting = 3;
constexpr int kWatchesSignals = 6;

std::vector<std::string> MissingIn(const KernelWalls& walls) {
  std::vector<std::string> missing;
  if (walls.landlock_version == 0) {
    missing.emplace_back(
        "there is no Landlock: workers can use every file that the account of "
        "the server can; use Linux 5.13 or newer with landlock among its "
        "security modules (lsm= at boot)");
  }
  if (!walls.can_forbid_sockets) {
    missing.emplace_back(
        "there are no seccomp filters for this kernel or processor: workers "
        "can connect to the network and to every socket that the account of "
        "the server can; use Linux on x86-64 or arm64 with "
        "CONFIG_SECCOMP_FILTER, or forbid it from outside");
  }
  return missing;
}

}  // namespace

KernelWalls WallsOfThisKernel() {
  return {.landlock_version = LandlockVersion(),
          .can_forbid_sockets = CanForbidSockets()};
}

std::vector<std::string> GapsIn(const KernelWalls& walls) {
  std::vector<std::string> gaps = MissingIn(walls);
  const int version = walls.landlock_version;
  if (version > 0 && version < kWatchesCutting) {
    gaps.push_back(absl::StrCat(
        "Landlock is of version ", version,
        ": workers can cut short, though neither read nor write, files of the "
        "server's account; Linux 6.2 keeps them from it"));
  }
  if (version > 0 && version < kWatchesSignals) {
    gaps.push_back(absl::StrCat(
        "Landlock is of version ", version,
        ": workers can send signals to processes of the server's account; "
        "Linux 6.12 keeps them from it"));
  }
  return gaps;
}

std::string Description(const KernelWalls& walls) {
  const std::string files =
      walls.landlock_version == 0
          ? "nothing"
          : absl::StrCat("Landlock ", walls.landlock_version);
  return absl::StrCat("workers are kept to their files by ", files,
                      " and from sockets by ",
                      walls.can_forbid_sockets ? "seccomp" : "nothing");
}

absl::Status CheckWalls(const KernelWalls& walls) {
  const std::vector<std::string> missing = MissingIn(walls);
  if (missing.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "workers cannot be isolated: ", absl::StrJoin(missing, "; and ")));
}

}  // namespace moeprobe

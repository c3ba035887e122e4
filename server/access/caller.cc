#include "server/access/caller.h"

#include <array>
#include <cstddef>

#include "storage/access.h"

namespace moeprobe {

const char* NameOf(Proof proof) {
  constexpr std::array kNames = {"token", "certificate", "peer", "loopback"};
  return kNames[static_cast<size_t>(proof)];
}

Viewer ViewerOf(const Caller& caller) {
  return {.name = caller.user, .is_admin = caller.is_admin};
}

}  // namespace moeprobe

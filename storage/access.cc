#include "storage/access.h"

#include <algorithm>

namespace moeprobe {

Viewer ServerItself() { return {.name = "", .is_admin = true}; }

bool MayRead(const Viewer& viewer, const Access& access) {
  return !access.is_private || MayChange(viewer, access) ||
         std::ranges::find(access.readers, viewer.name) != access.readers.end();
}

bool MayChange(const Viewer& viewer, const Access& access) {
  return viewer.is_admin || viewer.name == access.owner;
}

}  // namespace moeprobe

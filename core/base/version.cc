#include "core/base/version.h"

namespace moeprobe {

const char* Version() { return MOEPROBE_VERSION; }

}  // namespace moeprobe

#include "client/service/request_id.h"

#include <cstdint>
#include <random>
#include <string>

#include "absl/strings/str_format.h"

namespace moeprobe {

std::string NewRequestId() {
  std::random_device entropy;
  const uint32_t a = entropy();
  const uint32_t b = entropy();
  const uint32_t c = entropy();
  const uint32_t d = entropy();
  // RFC 9562, section 5.4: four bits of version, two of variant.
  return absl::StrFormat("%08x-%04x-4%03x-%04x-%04x%08x", a, b >> 16U,
                         b & 0xFFFU, 0x8000U | ((c >> 16U) & 0x3FFFU),
                         c & 0xFFFFU, d);
}

}  // namespace moeprobe

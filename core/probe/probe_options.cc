#include "core/probe/probe_options.h"

#include <string>

namespace moeprobe {

std::string NameOf(Weighting weighting) {
  switch (weighting) {
    case Weighting::kAll:
      return "all";
    case Weighting::kRouted:
      return "routed";
    case Weighting::kGate:
      return "gate";
  }
  return "";
}

std::string NameOf(Convention convention) {
  switch (convention) {
    case Convention::kRouted:
      return "routed";
    case Convention::kAllTokens:
      return "all_tokens";
    case Convention::kSampleWeighted:
      return "sample_weighted";
  }
  return "";
}

std::string NameOf(Intervention intervention) {
  switch (intervention) {
    case Intervention::kAverage:
      return "average";
    case Intervention::kReplace:
      return "replace";
    case Intervention::kAblate:
      return "ablate";
  }
  return "";
}

}  // namespace moeprobe

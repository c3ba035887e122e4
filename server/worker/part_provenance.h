#ifndef MOEPROBE_SERVER_WORKER_PART_PROVENANCE_H_
#define MOEPROBE_SERVER_WORKER_PART_PROVENANCE_H_

#include <cstdint>
#include <span>
#include <string>

#include "core/pipeline/analyze.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"

namespace moeprobe {

// Token ids of a part as cut, which lie elsewhere.
struct PartTokens {
  std::span<const int32_t> ids;
  std::string fingerprint;
};

// Returns where the arrays of a part come from, by the report of its analysis.
v1::Provenance ProvenanceOf(const v1::TaskPart& part, const PartTokens& tokens,
                            const AnalysisReport& report);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_PART_PROVENANCE_H_

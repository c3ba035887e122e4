#ifndef MOEPROBE_CORE_PLAN_NULL_WORK_H_
#define MOEPROBE_CORE_PLAN_NULL_WORK_H_

#include <cstdint>

#include "core/checkpoint/model_config.h"
#include "core/plan/probe_counts.h"
#include "core/plan/useful_work.h"

namespace moeprobe {

// What nulls and intervals take at a probed layer beside the probes themselves:
// routers that are drawn, averaged Jacobians of other routings and windows in a
// few directions, PCAs of replicates in a few dimensions. Without the
// random-weight null, which runs everything again.
UsefulWork NullWork(const ModelConfig& model, const LayerConfig& layer,
                    TokenCounts counts, const ProbeCounts& probes);

// What is held for them on `threads` threads, in bytes, beside what the probes
// hold: freed memory is kept, so that the two add up.
double NullBytes(const ModelConfig& model, const LayerConfig& layer,
                 TokenCounts counts, const ProbeCounts& probes, int threads);

// What comparisons of single experts with themselves or each other take that no
// null belongs to: Jacobians at common tokens, averages over the halves, PCAs
// of samples as small as the experts'.
UsefulWork SampleWork(const ModelConfig& model, const LayerConfig& layer,
                      TokenCounts counts, const ProbeCounts& probes);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PLAN_NULL_WORK_H_

#ifndef MOEPROBE_SERVER_PART_COST_H_
#define MOEPROBE_SERVER_PART_COST_H_

#include "core/base/bounded_directory.h"
#include "core/plan/analysis_cost.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/job_plan.h"
#include "server/task_builder.h"

namespace moeprobe {

// Returns what a worker with these rates takes for what a part of a job misses,
// starting from the hidden states that are stored. Where a text was never
// tokenised, its tokens are guessed.
AnalysisCost CostOfPart(const PlannedPart& part, const MissingOfPart& missing,
                        const BoundedDirectory& hidden_states,
                        const v1::MachineRates& rates);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_PART_COST_H_

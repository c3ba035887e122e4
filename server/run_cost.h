#ifndef MOEPROBE_SERVER_RUN_COST_H_
#define MOEPROBE_SERVER_RUN_COST_H_

#include <map>

#include "core/plan/analysis_cost.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/job_plan.h"
#include "server/task_builder.h"

namespace moeprobe {

// Returns what a worker with these rates takes for what a controlled experiment
// misses: its runs go on side by side, each on one thread. What an earlier job
// or attempt has trained is not trained again.
AnalysisCost CostOfRuns(const JobPlan& plan,
                        const std::map<int, MissingOfPart>& missing,
                        const v1::MachineRates& rates);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_RUN_COST_H_
